"""The dashboard: pages that the server renders, a module for each."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
