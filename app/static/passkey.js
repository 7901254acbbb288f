// Passkeys: requests a credential from the browser and sends it with the form. Forms for passkeys
// are shown if the browser supports them.
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

// Messages for users; the browser's own messages are for developers.
const reasons = {
  InvalidStateError: "This device already has a passkey for your account.",
  NotAllowedError: "The passkey request was declined or timed out.",
  SecurityError: "Passkeys work only at the address of this site.",
};

async function send(form, rest) {
  const credential = await ask[form.dataset.passkey](JSON.parse(form.dataset.options), rest);
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.requestSubmit();
}

// The browser handles one request at a time: a click on the button aborts the autofill.
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

// Offer passkeys in the autofill of the username field, if the browser supports it.
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  autofill = new AbortController();
  try {
    await send(form, { mediation: "conditional", signal: autofill.signal });
  } catch {
    // Aborted by the button or refused by the browser: the form and the button still work.
  }
}

// Inform the browser of the valid passkeys. Missing support and failures are ignored.
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
