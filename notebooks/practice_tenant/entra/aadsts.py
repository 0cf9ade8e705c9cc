"""Entra's refusals: every AADSTS error that is played, what it says, and what helps.

Every entry of `AADSTS` carries what Entra answers (error, number, text) and what a person needs: cause and fix.
The texts are those of recorded answers; where no recording is known the practice tenant's README says so.
Sources: entra docs reference-error-codes.md and the captures named in the README's parity table.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class AadstsEntry(NamedTuple):
    """One row: `error` is what programs branch on, `number` and `text` are for people."""

    number: int
    error: str
    text: str
    cause: str
    fix: str
    has_error_uri: bool = True
    captured_status: int | None = None

    @property
    def status(self) -> int:
        """HTTP 401 for ``invalid_client``, 400 for everything else: the rule of every capture but one."""
        return self.captured_status or (401 if self.error == "invalid_client" else 400)


_CREDENTIALS_DOC = "https://learn.microsoft.com/entra/identity-platform/certificate-credentials"
_SEE_KEYS = (
    "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
    "'{client_id}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the "
    "corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get"
    "?view=graph-rest-1.0&tabs=http to build a query request URL, such as "
    "'https://graph.microsoft.com/beta/applications/{client_id}']."
)
_NOT_FOUND_HERE = (
    "This can happen if the application has not been installed by the administrator of the tenant or consented to "
    "by any user in the tenant. You {might} have sent your authentication request to the wrong tenant."
)

AADSTS: dict[str, AadstsEntry] = {
    # --- the request itself ---------------------------------------------------------------------------------
    "only_post": AadstsEntry(
        900561, "invalid_request",
        "The endpoint only accepts POST requests. Received a {method} request.",
        "the token endpoint was opened like a page", "send a POST with a form body",
    ),
    "missing_parameter": AadstsEntry(
        900144, "invalid_request",
        "The request body must contain the following parameter: '{name}'.",
        "a field is missing, or the body is JSON instead of a form", "send the field, form-encoded",
    ),
    "parameter_twice": AadstsEntry(
        9000411, "invalid_request",
        "The request is not properly formatted. The parameter '{name}' is duplicated.",
        "a form field stands twice", "send every field once",
    ),
    "unsupported_grant": AadstsEntry(
        70003, "unsupported_grant_type",
        "The app requested an unsupported grant type '{grant_type}'.",
        "a grant type this endpoint does not know", "a daemon sends client_credentials", has_error_uri=False,
    ),
    "tenant_not_found": AadstsEntry(
        90002, "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
        "a typing error in the tenant id, or the wrong cloud", "copy the tenant id from the app's Overview page",
    ),
    "tenant_malformed": AadstsEntry(
        900023, "invalid_request",
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
        "the tenant is neither a GUID nor a domain", "use the tenant id or a verified domain",
    ),
    "tenantless": AadstsEntry(
        9001023, "invalid_request",
        "The grant type '{grant_type}' is not supported over the /common or /consumers endpoints. Please use the "
        "/organizations or tenant-specific endpoint.",
        "/common names no tenant, and an app without a user has none of its own", "name your tenant in the authority",
    ),
    "organizations_without_person": AadstsEntry(
        50059, "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
        "/organizations names no tenant, and an app without a user has none of its own",
        "name your tenant in the authority",
    ),
    # --- the application ------------------------------------------------------------------------------------
    "app_not_found": AadstsEntry(
        700016, "unauthorized_client",
        "Application with identifier '{client_id}' was not found in the directory '{tenant_name}'. "
        + _NOT_FOUND_HERE.format(might="may"),
        "object id instead of client id, wrong tenant, or an app created seconds ago",
        "compare the Application (client) ID; wait a minute after creating it",
    ),
    "app_id_placeholder": AadstsEntry(
        700038, "unauthorized_client",
        "{client_id} is not a valid application identifier.",
        "a template was not filled in", "put your client id where the zeros are", has_error_uri=False,
    ),
    "no_service_principal": AadstsEntry(
        7000229, "invalid_client",
        "The client application {client_id} is missing service principal in the tenant {tenant_id}. "
        "See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
        "the app is registered but has no service principal in this tenant", "POST /servicePrincipals",
    ),
    "app_disabled": AadstsEntry(
        7000112, "unauthorized_client",
        "Application '{client_id}'({app_name}) is disabled.",
        "somebody switched the service principal off", "set accountEnabled to true",
    ),
    "public_client": AadstsEntry(
        700025, "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        "this app is a public client", "use a confidential app of your own",
    ),
    # --- the credential -------------------------------------------------------------------------------------
    "no_credential": AadstsEntry(
        7000216, "invalid_client",
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        "the credential is empty: MSAL sends none and says nothing", "load the certificate or secret before",
    ),
    "wrong_secret": AadstsEntry(
        7000215, "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        "not the client secret ID, for a secret added to app '{client_id}'.",
        "the secret's id was copied instead of its value, or the secret is seconds old", "use the value; wait",
    ),
    "secret_expired": AadstsEntry(
        7000222, "invalid_client",
        "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new "
        "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added "
        "security: https://aka.ms/certCreds.",
        "the secret's end date has passed", "make a new one, or better a certificate",
    ),
    "unknown_assertion_type": AadstsEntry(
        7000216, "invalid_client",  # chosen, not sourced: an assertion of an unknown type is no credential
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        "client_assertion_type is not the JWT bearer type", "let MSAL build the request",
    ),
    # --- the client assertion -------------------------------------------------------------------------------
    "assertion_malformed": AadstsEntry(
        50027, "invalid_request",
        "JWT token is invalid or malformed.",
        "the client assertion is not a signed JWT of the expected shape", "let MSAL build it",
    ),
    "assertion_missing_claim": AadstsEntry(
        90014, "invalid_request",
        "The required field '{name}' is missing from the credential. Ensure that you have all the necessary "
        "parameters for the login request.",
        "the client assertion lacks a claim", "send aud, iss, sub, exp, jti",
    ),
    "assertion_no_key_id": AadstsEntry(
        5002723, "invalid_client",
        "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in "
        "token header.",
        "the header names no key", "send x5t#S256 (MSAL with a PFX does)",
    ),
    "assertion_algorithm": AadstsEntry(
        5002738, "invalid_client",
        "Invalid JWT token. '{alg}' is not a supported signature algorithm. Supported signing algorithms are: "
        "'RS256,RS384,RS512,PS256,PS384,PS512'",
        "the assertion is signed with an algorithm Entra does not take", "PS256 with an RSA key",
    ),
    "assertion_elliptic": AadstsEntry(
        700027, "invalid_client",
        "Invalid JWT token. Unsupported asymmetric signing algorithm.",
        "an elliptic-curve key", "Entra takes RSA keys only: make an RSA key of 2048 bits or more",
    ),
    "assertion_client_mismatch": AadstsEntry(
        700021, "invalid_client",
        f"Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at "
        f"{_CREDENTIALS_DOC} .",
        "iss is not the client id that was sent", "iss and sub are both your client id",
    ),
    "assertion_subject_mismatch": AadstsEntry(
        50048, "invalid_client",
        "Subject must match the issuer claim in the client assertion.",
        "sub differs from iss", "iss and sub are both your client id",
    ),
    "assertion_audience": AadstsEntry(
        700023, "invalid_client",
        "Client assertion audience claim does not match Realm issuer. Review the documentation at "
        f"{_CREDENTIALS_DOC}.",
        "aud is not this tenant's token endpoint: another tenant, another cloud", "aud = the URL you post to",
    ),
    "assertion_time": AadstsEntry(
        700024, "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {nbf}, expiry "
        f"time of assertion {{exp}}. Review the documentation at {_CREDENTIALS_DOC} .",
        "your clock is wrong, or the assertion was built long ago", "set the clock; let MSAL build a fresh one",
    ),
    "key_not_found": AadstsEntry(
        700027, "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        "[Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', " + _SEE_KEYS,
        "the certificate is not uploaded to this app, or the thumbprint is another's (SHA-256 in x5t is a classic)",
        "upload the .crt, compare thumbprints, wait a minute",
    ),
    "key_expired": AadstsEntry(
        700027, "invalid_client",
        "The certificate with identifier used to sign the client assertion is expired on application. "
        "[Reason - The key used is expired., Thumbprint of key used by client: '{thumbprint}', "
        "Found key 'Start={start}, End={end}', " + _SEE_KEYS,
        "the certificate's time is over", "make, upload and switch to a new one",
    ),
    "key_not_yet_valid": AadstsEntry(
        700027, "invalid_client",  # recorded: "expired" with a Start in the future (azure-powershell#9049)
        "The certificate with identifier used to sign the client assertion is expired on application. "
        "[Reason - The key used is expired., Thumbprint of key used by client: '{thumbprint}', "
        "Found key 'Start={start}, End={end}', " + _SEE_KEYS,
        "the certificate's time has not come, or a clock is wrong", "wait, or make one that starts now",
    ),
    "signature_wrong": AadstsEntry(
        700027, "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        "[Reason - Key was found, but use of the key to verify the signature failed., Thumbprint of key used by "
        "client: '{thumbprint}', Found key 'Start={start}, End={end}', " + _SEE_KEYS,
        "the private key does not belong to the certificate", "take the key and the certificate of one pair",
    ),
    "key_too_short": AadstsEntry(
        700027, "invalid_client",
        "RSA key size {bits} is less than the minimum required 2048 bits",
        "the RSA key is shorter than 2048 bits", "make one of 2048 bits or more",
    ),
    # --- what is asked for ----------------------------------------------------------------------------------
    "scope_not_default": AadstsEntry(
        1002012, "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
        "a single permission was asked for", "ask for <resource>/.default", has_error_uri=False,
    ),
    "scope_invalid": AadstsEntry(
        70011, "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        "'scope' is not valid. The scope {scope} is not valid.",
        "two resources in one request", "one token for each resource",
    ),
    "resource_not_found": AadstsEntry(
        500011, "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant_name}. "
        + _NOT_FOUND_HERE.format(might="might"),
        "a typing error in the resource, or it has no service principal here", "compare the resource's URI",
    ),
    "resource_disabled": AadstsEntry(
        500014, "invalid_resource",
        "The service principal for resource '{resource}' is disabled. This indicate that a subscription within the "
        "tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing "
        "tokens from being issued for it.",
        "somebody switched the resource off", "ask the administrator",
    ),
    "not_assigned": AadstsEntry(
        501051, "invalid_grant",
        "Application '{client_id}'({app_name}) is not assigned to a role for the application "
        "'{resource_id}'({resource_name}).",
        "the resource takes only apps that hold one of its roles", "assign an app role", captured_status=401,
    ),
    # --- device code ----------------------------------------------------------------------------------------
    "authorization_pending": AadstsEntry(
        70016, "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        "the person has not finished signing in", "ask again after `interval` seconds",
    ),
    "authorization_declined": AadstsEntry(
        65004, "authorization_declined",  # chosen, not sourced: the number of a declined consent
        "User declined to consent to access the app.", "the person said no", "start again",
    ),
    "device_code_expired": AadstsEntry(
        70020, "expired_token",
        "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        "fifteen minutes have passed", "start again",
    ),
    "bad_verification_code": AadstsEntry(
        70018, "bad_verification_code",
        "Invalid verification code due to User typing in wrong user code for device code flow. Authorization isn't "
        "approved.",
        "a device code nobody gave out, or one that was used already", "start again",
    ),
    "client_secret_missing": AadstsEntry(
        7000218, "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        "an app that has credentials signs somebody in without them", "use a public client, or send the credential",
    ),
    "refresh_token_unknown": AadstsEntry(
        9002313, "invalid_grant",
        "Invalid request. Request is malformed or invalid.",
        "a refresh token nobody gave out to this app", "sign in again",
    ),
    "refresh_token_expired": AadstsEntry(
        700082, "invalid_grant",  # the recorded text also names two moments; left out here
        "The refresh token has expired due to inactivity.",
        "ninety days have passed", "sign in again",
    ),
    "not_consented": AadstsEntry(
        65001, "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{client_id}' named '{app_name}'. "
        "Send an interactive authorization request for this user and resource.",
        "a new permission was asked for with an old refresh token", "sign in again with the new scope",
    ),
    # --- discovery ------------------------------------------------------------------------------------------
    "unknown_instance": AadstsEntry(
        50049, "invalid_instance",
        "Unknown or invalid instance.",
        "the authority's host is not one of Microsoft's", "check the host; on a test server turn the check off",
    ),
}  # fmt: skip


class EntraError(Exception):
    """A refusal by the token endpoint.

    Args:
        situation: a key of `AADSTS`.
        error: replaces the row's ``error`` where Entra itself uses two for one cause (90002 is
            ``invalid_tenant`` on discovery and ``invalid_request`` on the token endpoint).
        **fields: what the text's braces stand for.
    """

    def __init__(self, situation: str, *, error: str | None = None, **fields: Any) -> None:
        self.entry = AADSTS[situation]
        self.notes = {"cause": self.entry.cause, "fix": self.entry.fix}
        self.error = error or self.entry.error
        self.text = self.entry.text.format(**fields)
        super().__init__(f"AADSTS{self.entry.number}: {self.text}")

    @property
    def status(self) -> int:
        return self.entry.status

    def body(self, timestamp: str, trace_id: str, correlation_id: str) -> dict[str, Any]:
        """The JSON body in the recorded order of keys.

        Args:
            timestamp: UTC, like ``2026-08-13 21:24:29Z``.
            trace_id: also sent as header ``x-ms-request-id``.
            correlation_id: the client's ``client-request-id`` when it sent one.
        """
        number = self.entry.number
        answer = {
            "error": self.error,
            "error_description": f"AADSTS{number}: {self.text} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
        }
        if self.entry.has_error_uri:
            answer["error_uri"] = f"https://login.microsoftonline.com/error?code={number}"
        return answer
