<%
    code = f"{upgrades or ''}{downgrades or ''}"
    needed = [
        "import sqlalchemy as sa" if "sa." in code else "",
        "from alembic import op" if "op." in code else "",
        imports or "",
    ]
    head = "\n".join(line for line in needed if line)
    quoted = lambda value: repr(value).replace("'", '"')
%>\
"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
"""

% if head:
${head}

% endif
revision = "${up_revision}"
down_revision = ${quoted(down_revision)}
branch_labels = ${quoted(branch_labels)}
depends_on = ${quoted(depends_on)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
