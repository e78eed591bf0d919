# Builds the three images to be pushed; `just push` calls it with what it needs. Always with -f docker-bake.hcl, since
# bake would otherwise add what compose.yaml says about building.

variable "REGISTRY" { default = "docker.io" }
variable "NAMESPACE" { default = "meterbridge" }
variable "TAG" { default = "dev" }

# The commit, and where its sources are (https://…): labels, left out if empty.
variable "REVISION" { default = "" }
variable "SOURCE" { default = "" }

# Empty is the builder's own. Several need a builder of the driver docker-container.
variable "PLATFORMS" { default = "linux/amd64,linux/arm64" }

# A bill of materials and the provenance with each image. "false" for builders and registries that cannot.
variable "ATTEST" { default = "true" }

# Other bases than the Dockerfiles'. Empty is theirs.
variable "RUST" { default = "" }
variable "BASE" { default = "" }
variable "PROMETHEUS" { default = "" }
variable "GRAFANA" { default = "" }

# Another folder than ./prometheus: a copy that prometheus/for-3.5.sh made.
variable "PROMETHEUS_CONTEXT" { default = "prometheus" }

# A release (1.2.3) is also 1.2 and the latest; anything else has only its own tag.
function "tags" {
  params = [image]
  result = concat(
    ["${REGISTRY}/${NAMESPACE}/${image}:${TAG}"],
    [for tag in(length(regexall("^[0-9]+\\.[0-9]+\\.[0-9]+$", TAG)) > 0 ? [regex_replace(TAG, "\\.[0-9]+$", ""), "latest"] : []) :
      "${REGISTRY}/${NAMESPACE}/${image}:${tag}"],
  )
}

function "labels" {
  params = [title, description]
  result = { for name, value in {
    "org.opencontainers.image.title"       = title
    "org.opencontainers.image.description" = description
    "org.opencontainers.image.licenses"    = "Apache-2.0"
    "org.opencontainers.image.version"     = TAG
    "org.opencontainers.image.revision"    = REVISION
    "org.opencontainers.image.source"      = SOURCE
    "org.opencontainers.image.documentation" = SOURCE == "" ? "" : "${SOURCE}/blob/main/docs/stack.md"
  } : name => value if value != "" }
}

target "_common" {
  platforms = PLATFORMS == "" ? [] : split(",", PLATFORMS)
  attest = (ATTEST == "true"
    ? ["type=provenance,mode=max", "type=sbom"]
    : ["type=provenance,disabled=true", "type=sbom,disabled=true"])
}

group "default" {
  targets = ["meterbridge", "prometheus", "grafana"]
}

target "meterbridge" {
  inherits = ["_common"]
  context  = "."
  args     = { RUST = RUST != "" ? RUST : null, BASE = BASE != "" ? BASE : null }
  tags     = tags("meterbridge")
  labels   = labels("meterbridge", "Takes OTLP metrics and serves them to Prometheus")
}

target "prometheus" {
  inherits = ["_common"]
  context  = PROMETHEUS_CONTEXT
  args     = { PROMETHEUS = PROMETHEUS != "" ? PROMETHEUS : null }
  tags     = tags("prometheus")
  labels   = labels("meterbridge-prometheus", "Prometheus with Meterbridge's configuration and rules")
}

target "grafana" {
  inherits = ["_common"]
  context  = "grafana"
  args     = { GRAFANA = GRAFANA != "" ? GRAFANA : null }
  tags     = tags("grafana")
  labels   = labels("meterbridge-grafana", "Grafana with Meterbridge's data source and dashboards")
}
