# Veritas as a container: docker build -t veritas .   (docs/mongodb.md has the settings; docker-compose.yml adds MongoDB)

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Nothing that a package brings is run: those with binaries have them in their tarballs.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# amd64 or arm64, from the builder.
ARG TARGETARCH=amd64
# A release is what a server needs and no more: the build, the packages of production, the commands for operators.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN cpu="${TARGETARCH/amd64/x64}" \
 && npm run --silent package -- --cpu "$cpu" \
 && mkdir /release \
 && tar -xzf build/artifacts/*.tar.gz -C /release

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    STAGE=prod \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data
WORKDIR /app
COPY --from=build /release ./
# A new volume takes over the owner of the folder that it covers.
RUN mkdir /data && chown node:node /data && chmod 700 /data
# node, by its number: some hosts look at nothing else.
USER 1000:1000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Open requests finish, what waits is stored, and what is not stored in time stays in /data/wal for the next start.
STOPSIGNAL SIGTERM
CMD ["node", "build/server/index.js", "--no-demo"]
