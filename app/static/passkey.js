// Passkeys: asks the browser for one, and sends what it says with the form. A form for them comes to
// light where the browser knows them.
"use strict";

const known = typeof PublicKeyCredential === "function" &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

const ask = {
  create: (options) => navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  }),
  get: (options, rest) => navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...rest,
  }),
};

// What a person is told; the browser's own words are for developers.
const reasons = {
  InvalidStateError: "This device holds a passkey for your account already.",
  NotAllowedError: "Nothing was done: the passkey was declined, or it took too long.",
  SecurityError: "Passkeys work at the address of this site alone.",
};

async function send(form, rest) {
  const credential = await ask[form.dataset.passkey](JSON.parse(form.dataset.options), rest);
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.requestSubmit();
}

// The browser answers one request at a time: a click on the button ends the autofill.
let autofill = null;

async function answer(form) {
  if (!form.reportValidity()) return;
  autofill?.abort();
  try {
    await send(form);
  } catch (error) {
    tell(reasons[error.name] ?? "The passkey cannot be used here.");
  }
}

// Offers passkeys among the usernames that the browser fills in. Without any it does nothing.
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  autofill = new AbortController();
  try {
    await send(form, { mediation: "conditional", signal: autofill.signal });
  } catch {
    // Ended by the button, or the browser refused: the form and the button are there.
  }
}

// Tells the browser which passkeys count here. One that knows no signals, or fails, changes nothing.
const signals = ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"];

function signal({ passkeySignal: method, options }) {
  if (signals.includes(method)) PublicKeyCredential[method]?.(JSON.parse(options)).catch(() => {});
}

for (const { dataset } of known ? document.querySelectorAll("[data-passkey-signal]") : []) signal(dataset);

for (const form of known ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.querySelector("[data-ask]").addEventListener("click", () => answer(form));
  if ("autofill" in form.dataset) offer(form);
}
for (const piece of known ? document.querySelectorAll("[data-passkey-not]") : []) piece.hidden = true;
