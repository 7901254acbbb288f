// Passkeys: asks the browser for one, and sends what it says with the form. A form for them comes to
// light where the browser knows them.
"use strict";

const known = typeof PublicKeyCredential === "function" &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

const ask = {
  create: (options) => navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  }),
  get: (options) => navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  }),
};

// What a person is told; the browser's own words are for developers.
const reasons = {
  InvalidStateError: "This device holds a passkey for your account already.",
  NotAllowedError: "Nothing was done: the passkey was declined, or it took too long.",
  SecurityError: "Passkeys work at the address of this site alone.",
};

async function send(form) {
  if (!form.reportValidity()) return;
  try {
    const credential = await ask[form.dataset.passkey](JSON.parse(form.dataset.options));
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.requestSubmit();
  } catch (error) {
    tell(reasons[error.name] ?? "The passkey cannot be used here.");
  }
}

for (const form of known ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.querySelector("[data-ask]").addEventListener("click", () => send(form));
}
for (const piece of known ? document.querySelectorAll("[data-passkey-not]") : []) piece.hidden = true;
