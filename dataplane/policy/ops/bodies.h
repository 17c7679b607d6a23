// The bodies of all operations, for code that runs the interpreter.
#pragma once

#include "dataplane/policy/ops/cache.h"           // IWYU pragma: export
#include "dataplane/policy/ops/dns64.h"           // IWYU pragma: export
#include "dataplane/policy/ops/fallback.h"        // IWYU pragma: export
#include "dataplane/policy/ops/flow.h"            // IWYU pragma: export
#include "dataplane/policy/ops/forward.h"         // IWYU pragma: export
#include "dataplane/policy/ops/learn_domain.h"    // IWYU pragma: export
#include "dataplane/policy/ops/list.h"            // IWYU pragma: export
#include "dataplane/policy/ops/prefer.h"          // IWYU pragma: export
#include "dataplane/policy/ops/redirect.h"        // IWYU pragma: export
#include "dataplane/policy/ops/reports.h"         // IWYU pragma: export
#include "dataplane/policy/ops/responses.h"       // IWYU pragma: export
#include "dataplane/policy/ops/reverse.h"         // IWYU pragma: export
#include "dataplane/policy/ops/rpz.h"             // IWYU pragma: export
#include "dataplane/policy/ops/rules.h"           // IWYU pragma: export
#include "dataplane/policy/ops/static_records.h"  // IWYU pragma: export
#include "dataplane/policy/ops/subnet.h"          // IWYU pragma: export
#include "dataplane/policy/ops/tests.h"           // IWYU pragma: export
