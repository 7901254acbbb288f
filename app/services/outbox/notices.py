"""The notices mailed to the owner of an account (ASVS 5.0, 6.3.7).

Every security-relevant audit action is in AUDITED with its notices, or in UNNOTICED with the reason
why it needs none.
"""

from typing import NamedTuple

from app.models.registry import OWN_RECORDS


class Notice(NamedTuple):
    """A notice. `advice` is for a reader who did not act; "{site}" is the URL of the service."""

    subject: str
    what: str
    advice: str


_RESET = (
    "If it was not you, set a new password at once by a mail to this address: {site}/auth/forgot."
    " That ends every session and token of the account. "
)
_REVIEW = "Then check the security log at {site}/settings/security."
_FACTORS = "Then remove what you do not know at {site}/settings/two-factor."
_ADMIN = "If you did not expect it, ask an admin of {site}."
_RECEIVES = f" receives the changes of your {OWN_RECORDS}:"
ADMIN_ADVICE = _ADMIN

NOTICES = {
    "email_changed": Notice(
        "Your email address was changed",
        "The email address was changed. This mail went to the old one.",
        "If it was not you, undo the change by this link, which works for 7 days and needs no"
        " sign-in. It ends every session and token, removes what was added since, and lets you set"
        " a new password:",
    ),
    "username_changed": Notice(
        "Your username was changed",
        "The username was changed:",
        _RESET + "Then change the username back at {site}/settings/profile.",
    ),
    "password_changed": Notice(
        "Your password was changed",
        "The password was changed, and every other sign-in has ended.",
        _RESET + _REVIEW,
    ),
    "password_set": Notice(
        "Your account has a password now",
        "A password was set. The account had none before.",
        _RESET + _REVIEW,
    ),
    "password_removed": Notice(
        "Your password was removed",
        "The password was removed, and every other sign-in has ended. Passkeys and linked accounts"
        " still sign in.",
        _RESET + _REVIEW,
    ),
    "role_changed": Notice("Your role was changed", "The role was changed:", _ADMIN),
    "deactivated": Notice(
        "Your account was deactivated",
        "The account was deactivated. Nobody can sign in to it, and its tokens have ended.",
        "Only an admin can activate it again: ask one of {site}.",
    ),
    "activated": Notice("Your account was activated", "The account was activated again.", _ADMIN),
    "deleted": Notice(
        "Your account was deleted",
        f"The account and its {OWN_RECORDS} were deleted. They cannot be restored.",
        "If it was not you, somebody else could sign in as you: change the password wherever else"
        " you use the same one, secure this mailbox, and tell an admin of {site}.",
    ),
    "factor_added": Notice(
        "A second factor was added",
        "A second factor was added, and every other sign-in has ended.",
        _RESET + "A sign-in still needs the new factor: ask an admin of {site} to reset it.",
    ),
    "factor_removed": Notice(
        "A second factor was removed", "A second factor was removed.", _RESET + _REVIEW
    ),
    "factors_reset": Notice(
        "Your second factors were reset",
        "The second factors were reset: the password alone signs in again.",
        "Set one up again at {site}/settings/two-factor. " + _ADMIN,
    ),
    "passkey_added": Notice(
        "A passkey was added",
        "A passkey was added, and every other sign-in has ended.",
        _RESET + _FACTORS,
    ),
    "passkey_removed": Notice("A passkey was removed", "A passkey was removed.", _RESET + _REVIEW),
    "recovery_codes_made": Notice(
        "New recovery codes were created",
        "New recovery codes were created. Earlier codes are void.",
        _RESET + "Then create new codes at {site}/settings/two-factor.",
    ),
    "recovery_code_used": Notice(
        "A recovery code was used",
        "A recovery code was used in place of a second factor.",
        _RESET + "Then create new codes at {site}/settings/two-factor.",
    ),
    "identity_linked": Notice(
        "An account elsewhere was linked to yours",
        "An account elsewhere was linked to yours, and can sign in to it.",
        _RESET + "Then unlink it at {site}/settings/identities.",
    ),
    "identity_unlinked": Notice(
        "An account elsewhere was unlinked",
        "An account elsewhere was unlinked, and cannot sign in to yours any more.",
        _RESET + _REVIEW,
    ),
    "token_created": Notice(
        "A personal token was created",
        "A personal token was created. Its holder can use the API as you.",
        "If it was not you, revoke the token at {site}/settings/tokens and set a new password at"
        " {site}/settings/password. If you cannot sign in any more, a new password by mail also"
        " ends the token: {site}/auth/forgot.",
    ),
    "token_ending": Notice(
        "A personal token ends soon",
        "A personal token ends in a week. Create a new one if a program still needs it.",
        "If you do not know the token, revoke it at {site}/settings/tokens.",
    ),
    "token_revoked": Notice(
        "A personal token was revoked",
        "A personal token was revoked. Programs that use it are refused.",
        _ADMIN,
    ),
    "webhook_created": Notice(
        "A webhook was created",
        f"A webhook was created. Its URL{_RECEIVES}",
        _RESET + "Then remove the webhook at {site}/settings/webhooks.",
    ),
    "webhook_changed": Notice(
        "The URL of a webhook was changed",
        f"The URL of a webhook was changed. The new URL{_RECEIVES}",
        _RESET + "Then change the URL back or remove the webhook at {site}/settings/webhooks.",
    ),
    "webhook_secret_rotated": Notice(
        "The secret of a webhook was replaced",
        "The secret of a webhook was replaced. The old secret still signs for 24 hours.",
        _RESET + "Then replace the secret again at {site}/settings/webhooks.",
    ),
    "webhook_switched_off": Notice(
        "A webhook was switched off",
        "A webhook was switched off: it failed for days, or an admin did it.",
        "Look at its deliveries and switch it on again at {site}/settings/webhooks.",
    ),
    "new_device": Notice(
        "New sign-in to your account",
        "Somebody signed in to the account with a browser that is new to it.",
        _RESET + _REVIEW,
    ),
    "removed_at_proof": Notice(
        "Your email address was proved for the first time",
        "A mailed link proved the email address of the account for the first time. "
        "What had been added before the proof was removed, in case somebody else had added it:",
        "Add again what was yours at {site}/settings/two-factor and the pages beside it.",
    ),
    "email_restored": Notice(
        "Your email address was restored",
        "The link in a mail undid the change of the address. Every session and token has ended,"
        " and what was added since the change was removed.",
        "Set a new password at {site}/auth/forgot. Whoever changed the address knew the old one.",
    ),
}

AUTOMATIC = frozenset({"token_ending", "webhook_switched_off"})  # acts of the service itself

AUDITED: dict[str, tuple[str, ...]] = {
    "user.updated": (
        *("email_changed", "username_changed", "role_changed", "deactivated", "activated"),
    ),
    "user.email_confirmed": ("email_changed", "removed_at_proof"),
    "user.email_restored": ("email_restored",),
    "user.password_changed": ("password_changed", "password_set"),
    "user.password_removed": ("password_removed",),
    "user.deleted": ("deleted",),
    "factor.added": ("factor_added", "passkey_added"),
    "factor.removed": ("factor_removed", "passkey_removed"),
    "factor.reset": ("factors_reset",),
    "recovery_codes.made": ("recovery_codes_made",),
    "recovery_code.used": ("recovery_code_used",),
    "identity.linked": ("identity_linked",),
    "identity.unlinked": ("identity_unlinked",),
    "token.created": ("token_created", "token_ending"),
    "token.revoked": ("token_revoked",),
    "session.created": ("new_device",),
    "webhook.created": ("webhook_created",),
    "webhook.updated": ("webhook_changed",),
    "webhook.secret_rotated": ("webhook_secret_rotated",),
    "webhook.switched_off": ("webhook_switched_off",),
}
_SEEN = "A stranger can cause it at will: the security log of the account shows it."
_MAIL = "The action sends a mail of its own."
_LESS = "The action removes access and grants none."
UNNOTICED = {
    "user.created": _MAIL,
    "user.invited": _MAIL,
    "user.confirmation_requested": _MAIL,
    "user.reset_requested": _MAIL,
    "user.email_removed": "The account has no address after it.",
    "user.exported": "Only the signed-in owner can do it, and it changes nothing.",
    "session.refused": _SEEN,
    "session.proved": "It is part of a sign-in that has its own notice.",
    "session.ended": _LESS,
    "session.others_ended": _LESS,
    "factor.refused": _SEEN,
    "token.reused": "The action ends the token family: the security log shows it.",
    "webhook.deleted": _LESS,
    "webhook.redelivered": "The action repeats an earlier delivery.",
}
