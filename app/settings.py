"""The settings that the services read, without the web."""

from dataclasses import dataclass
from typing import Literal

from flask import Flask, current_app

from app import product
from environment.openid import OpenIdClient
from environment.urls import passkey_origin


@dataclass(frozen=True, kw_only=True)
class Settings:
    secret_keys: tuple[str, ...]  # the current key, then the earlier ones
    public_url: str  # the base of every mailed link
    mail_url: str  # "" without a mail server
    mail_from: str
    password_min_length: int  # code points
    personal_token_max_days: int  # 0: a personal token need not expire
    require_mfa: Literal["no", "admins", "all"]
    require_admin_mfa: Literal["0", "1", "passkey"]
    limit_sign_ups: bool  # per network
    webhook_allow_private: bool
    audit_keep_days: int  # 0: forever
    openid: tuple[OpenIdClient, ...]  # in the order of their buttons

    @property
    def has_mail(self) -> bool:
        return bool(self.mail_url)

    def openid_client(self, issuer: str) -> OpenIdClient | None:
        """Return the client of the provider `issuer`, None if the settings do not name it."""
        return next((client for client in self.openid if client.issuer == issuer), None)

    @property
    def passkey_origin(self) -> str:
        """The origin of passkeys; "" if browsers allow no passkeys there."""
        return passkey_origin(self.public_url)

    @property
    def requires_factors(self) -> bool:
        """True if some accounts must set up a factor first."""
        return bool(self.required_factor("admin"))

    def required_factor(self, role: str) -> Literal["", "factor", "passkey"]:
        """Return the factor that an account of this role must set up first, or ""."""
        if role == "admin" and self.require_admin_mfa == "passkey":
            return "passkey"
        if self.require_mfa == "all" or (self.require_mfa == "admins" and role == "admin"):
            return "factor"
        return ""


def init_app(app: Flask) -> None:
    values = app.config
    app.extensions["settings"] = Settings(
        secret_keys=(values["SECRET_KEY"], *values["SECRET_KEY_FALLBACKS"]),
        public_url=values["PUBLIC_URL"],
        mail_url=values["MAIL_URL"],
        mail_from=values["MAIL_FROM"] or f"{product.NAME} <{product.SLUG}@localhost>",
        password_min_length=values["PASSWORD_MIN_LENGTH"],
        personal_token_max_days=values["PERSONAL_TOKEN_MAX_DAYS"],
        limit_sign_ups=values["RATELIMIT_ENABLED"],
        require_mfa=values["REQUIRE_MFA"],
        require_admin_mfa=values["REQUIRE_ADMIN_MFA"],
        webhook_allow_private=values["WEBHOOK_ALLOW_PRIVATE"],
        audit_keep_days=values["AUDIT_KEEP_DAYS"],
        openid=values["OIDC_PROVIDERS"],
    )


def current() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
