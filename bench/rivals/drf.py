"""Django REST Framework: a ModelViewSet with token authentication."""

import json
import os
import sys
import uuid
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="of the benchmark alone",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.removeprefix("/"),
            "USER": url.username,
            "PASSWORD": url.password or "",
            "HOST": url.hostname or parse_qs(url.query).get("host", [""])[0],
            "PORT": url.port or "",
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
        "PAGE_SIZE": 20,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.postgres.fields import ArrayField  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.db.models import Q  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402
from rest_framework.authentication import TokenAuthentication  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402


class BearerAuthentication(TokenAuthentication):
    keyword = "Bearer"


class Task(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="", max_length=10_000)
    status = models.CharField(
        max_length=16,
        default="todo",
        choices=[(word, word) for word in ("todo", "in_progress", "done", "cancelled")],
    )
    priority = models.CharField(
        max_length=16,
        default="normal",
        choices=[(word, word) for word in ("low", "normal", "high", "urgent")],
    )
    due_at = models.DateTimeField(null=True, blank=True)
    labels = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    owner = models.ForeignKey(User, models.CASCADE, related_name="tasks")
    assignee = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="assigned"
    )
    completed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.IntegerField(default=1, editable=False)

    class Meta:
        app_label = "rivals"
        indexes = (models.Index(fields=["owner", "-created_at", "-id"]),)


class TaskSerializer(serializers.ModelSerializer):
    class Meta:
        model = Task
        fields = "__all__"
        read_only_fields = ("owner",)


class TaskViewSet(viewsets.ModelViewSet):
    authentication_classes = (BearerAuthentication,)
    serializer_class = TaskSerializer

    def get_queryset(self):
        mine = Q(owner=self.request.user) | Q(assignee=self.request.user)
        return Task.objects.filter(mine).order_by("-created_at", "-id")

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)


router = routers.DefaultRouter(trailing_slash=False)
router.register("api/v1/tasks", TaskViewSet, basename="task")
urlpatterns = router.urls
application = get_wsgi_application()


def fill(tasks):
    call_command("migrate", run_syncdb=True, verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Task)
    users = User.objects.bulk_create(User(username=f"user{n}") for n in range(1000))
    reader, writer, *others = users
    owners = [reader] * 48 + [writer] * 48
    owners += [others[n % len(others)] for n in range(tasks - len(owners))]
    made = Task.objects.bulk_create(
        (Task(title=f"Task {n}", description="plan " * 8, owner=owner, labels=["home", "work"])
         for n, owner in enumerate(owners)),
        batch_size=1000,
    )  # fmt: skip
    ids = [str(task.id) for task in made[:96]]
    tokens = [Token.objects.create(user=user).key for user in (reader, writer)]
    return [*tokens, "", ids[:48], ids[48:]]


if __name__ == "__main__":
    print(json.dumps(fill(int(sys.argv[1]))))
