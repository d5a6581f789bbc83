"""The dashboard: pages that the server renders, a module for each."""

from fastapi import APIRouter

from facealbum.web.pages import look

ROUTERS: tuple[APIRouter, ...] = (look.router,)
