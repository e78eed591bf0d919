"""The same endpoint as in `../poem`, on FastAPI: with nothing, or with prometheus_fastapi_instrumentator where INSTRUMENT=1."""

import os

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/items/{item_id}", response_class=PlainTextResponse)
async def item(item_id: int) -> str:
    return f"item {item_id}"


if os.environ.get("INSTRUMENT") == "1":
    from prometheus_fastapi_instrumentator import Instrumentator

    Instrumentator().instrument(app).expose(app)
