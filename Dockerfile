# The server alone, in an image of its own: what compose.yaml runs twice.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package rollcall-server

FROM debian:bookworm-slim
# The certificates that a database or a webhook shows are checked against these.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/rollcall-server /usr/local/bin/
USER nobody
WORKDIR /tmp
EXPOSE 8800
ENTRYPOINT ["rollcall-server"]
