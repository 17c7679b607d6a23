// Converts kresd.conf of Knot Resolver to our configuration (docs/guides/import.md has the table).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "tools/import/corefile_servers.h"
#include "tools/import/kresd.h"
#include "tools/import/resolver_model.h"

namespace steer::importing {

// `is_there` tests whether a certificate or another named file exists.
Imported import_kresd(std::string_view text, std::string_view source, const FileTest& is_there);

// ---- the parts

// Notes of one statement.
struct KresdPlace {
    const LuaStatement& statement;
    ResolverModel& out;

    void note(std::string_view text) const;
    // "... is not imported: " with its reason.
    void leave_out(std::string_view why) const;
};

// policy.add(...), and the same rules of view:addr(...).
// `decided`: zones of earlier rules, which decide about all names below.
void read_kresd_policy(const LuaValue& rule, const KresdPlace& place, const FileTest& is_there,
                       std::set<std::string>& decided);
void read_kresd_view(const LuaValue& call, const KresdPlace& place);
// hints...
void read_kresd_hints(const LuaStatement& statement, const KresdPlace& place,
                      const FileTest& is_there);

}  // namespace steer::importing
