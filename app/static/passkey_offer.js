// Shows the offer of a passkey if the device itself can store passkeys.
"use strict";

const canKeep = globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.();

canKeep?.then((can) => {
  document.querySelector("[data-passkey-offer]").hidden = !can;
}).catch(() => {});
