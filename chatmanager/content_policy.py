"""Which page may do what in the browser. The policy itself is in the settings."""

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

# What pages of libraries need on top: they bring styles in the page itself, and the admin's Alpine
# evaluates the attributes of its own templates. Nothing that people wrote is shown as HTML there.
ALLOWANCES = {
    "/admin/": {"style-src": [UNSAFE_INLINE], "script-src": [UNSAFE_EVAL]},
    "/api/v1/docs/": {"style-src": [UNSAFE_INLINE]},
}


class ContentPolicy(CSPMiddleware):
    """The strict policy everywhere, but for the admin and the API's docs."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, allowance in ALLOWANCES.items():
            if request.path_info.startswith(prefix):
                parts.update = {**(parts.update or {}), **allowance}
        return parts
