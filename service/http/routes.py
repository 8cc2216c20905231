"""The API as one application."""

from fastapi import APIRouter, FastAPI

from service.edge import access, problems
from service.http import cases, catalog, exports, reviews, runs, submissions, tasks


def api_app() -> FastAPI:
    """Return an application with the API and the sign-in. It still lacks its services (`app.state.assay`)."""
    # No docs_url: FastAPI's page loads its scripts from elsewhere, which our own CSP forbids.
    app = FastAPI(
        title="Assay",
        version="1",
        description="Runs AI-written code against hidden tests in isolated boxes, and pre-fills a rubric for reviewers.",
        docs_url=None,
        redoc_url=None,
    )
    api = APIRouter(
        prefix="/v1",
        responses={
            401: problems.described("Nobody is signed in."),
            403: problems.described("The token lacks a scope."),
            422: problems.described("Some field is wrong; `errors` names it."),
        },
    )
    for module in (submissions, runs, cases, tasks, reviews, exports, catalog):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(catalog.health_router)
    app.include_router(access.router)
    problems.install(app)
    return app
