"""What every page shares: shell, language, log-in and sessions, keyboard, blurred text, break reminder.

An application makes a `Site`, attaches it to its FastAPI app, and asks for a `Visitor` in its routes
(`Annotated[Visitor, Depends(needs("rater"))]`), which checks session, role and CSRF token and renders its templates.
"""
