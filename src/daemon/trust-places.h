/* Where a container shows what its programs trust (container-trust.h, environment.h). */
#pragma once

#define CONTAINER_TRUST_BUNDLE "/run/leash/ca-bundle.crt"
#define CONTAINER_TRUST_AUTHORITY "/run/leash/ca.crt"
#define CONTAINER_TRUST_KEYSTORE "/run/leash/cacerts"
#define CONTAINER_TRUST_CHROMIUM "/run/leash/chromium.json"
