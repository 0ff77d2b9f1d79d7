from notifications.models.delivery import Delivery
from notifications.models.notification import Notification
from notifications.models.preferences import Preferences
from notifications.models.subscription import Subscription

__all__ = ["Delivery", "Notification", "Preferences", "Subscription"]
