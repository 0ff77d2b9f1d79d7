"""Which page may do what in the browser. The policy itself is in the settings."""

from csp.constants import UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

# Pages of libraries that bring styles in the page itself; no scripts, and nothing people wrote is
# shown as HTML there.
INLINE_STYLES = ("/admin/", "/api/v1/docs/")


class ContentPolicy(CSPMiddleware):
    """The strict policy everywhere, but for the styles of the admin and the API's docs."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(INLINE_STYLES):
            parts.update = {**(parts.update or {}), "style-src": [UNSAFE_INLINE]}
        return parts
