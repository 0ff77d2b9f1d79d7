# The server, the workers and beat: one image, a command each (compose.yaml).
FROM python:3.13-slim-bookworm

RUN useradd --uid 10001 chat && install --directory --owner chat /data /srv/static
WORKDIR /srv/chat

COPY requirements.lock .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock

COPY . .
RUN python -m compileall -q .

ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 CHAT_READ_DOT_ENV=0 CHAT_STATIC_ROOT=/srv/static
USER chat
# By the one who reads them. The settings want a folder for a key even here, where none is kept.
RUN CHAT_DATA_DIR=/tmp/building python manage.py collectstatic --noinput --ignore redoc --ignore rest_framework \
    && rm -r /tmp/building

ENV CHAT_DATA_DIR=/data
EXPOSE 8000
CMD ["python", "-m", "chatmanager", "--host", "0.0.0.0", "--no-prepare"]
