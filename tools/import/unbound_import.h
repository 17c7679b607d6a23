// Converts unbound's configuration to ours (docs/guides/import.md has the table).
#pragma once

#include <string>
#include <string_view>

#include "tools/import/corefile_servers.h"
#include "tools/import/resolver_model.h"
#include "tools/import/unbound.h"

namespace steer::importing {

// `is_there` tests whether a certificate, key or zone file exists.
Imported import_unbound(std::string_view text, std::string_view source,
                        const IncludeReader& include, const FileTest& is_there,
                        const std::vector<IncludedText>& more = {});

// ---- the parts

// The options of a clause `server:`, over all such clauses.
void read_unbound_server(const std::vector<UnboundOption>& options, const FileTest& is_there,
                         ResolverModel& out);
// local-zone, local-data and local-data-ptr of them.
void read_unbound_names(const std::vector<UnboundOption>& options, ResolverModel& out);
// One other clause. `uses_tls`: `tls-upstream: yes` of the server.
void read_unbound_clause(const UnboundClause& clause, bool uses_tls, const FileTest& is_there,
                         ResolverModel& out);

// A line for the engine.
std::string unbound_line(const UnboundOption& option);
// "not imported", with its reason.
void leave_out_unbound(ResolverModel& out, const UnboundOption& option, std::string_view why);
// "yes" or "no"; nothing: a note was written.
std::optional<bool> read_unbound_flag(const UnboundOption& option, ResolverModel& out);

}  // namespace steer::importing
