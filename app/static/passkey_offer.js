// The offer of a passkey comes to light where the device itself can keep one.
"use strict";

const canKeep = globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.();

canKeep?.then((can) => {
  document.querySelector("[data-passkey-offer]").hidden = !can;
}).catch(() => {});
