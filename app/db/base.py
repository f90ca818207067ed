"""For Alembic only: the metadata with every table in it."""

import app.models
from app.db.base_class import Base

metadata = Base.metadata
models = app.models
