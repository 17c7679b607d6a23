// Converts the settings of a router's DNS server to our configuration (docs/guides/import.md has
// the table).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/forward.h"
#include "tools/import/records.h"
#include "tools/import/ros_dns.h"
#include "tools/import/sheet.h"

namespace steer::importing {

Imported import_routeros(const RosDns& dns);
// Converts an export's text. `source`: its name in the first line.
Imported import_routeros(std::string_view text, std::string_view source);

// ---- the parts

// Returns a note for each property that rows of that menu do not have.
std::vector<Note> unknown_properties(const RosRow& row, const std::vector<std::string_view>& known);

// Returns the upstreams for all other queries.
Forward main_forward(const RosDns& dns);
// Returns notes about the settings of /ip/dns without a counterpart.
std::vector<Note> other_settings(const RosDns& dns);

// /ip/dns/forwarders: tags by name. Disabled forwarders and those without upstreams get a note.
struct Forwarders {
    std::vector<Forward> all;
    std::map<std::string, std::string> tags;
    std::vector<Note> notes;
};
Forwarders read_forwarders(const RosDns& dns);

// Returns the servers of a row's forward-to: addresses and names, with the timeout of
// query-server-timeout.
Forward forward_to_servers(const RosDns& dns, const std::vector<std::string>& servers,
                           const std::string& place);

// Limits the queries in progress: by doh-max-concurrent-queries if `forward` uses DoH, else by
// max-concurrent-queries. Sets nothing if the property is not set.
void limit_queries(const RosDns& dns, Forward& forward);
// Returns notes about limits that no forward uses, unless they are RouterOS's defaults.
std::vector<Note> limits_of_nobody(const RosDns& dns, const std::vector<const Forward*>& all);

// /ip/dns/static, with the lists, rules and forwards that its rows require.
struct Statics {
    std::vector<Record> records;
    std::map<std::string, std::string> list_tags;  // of address lists: name, tag
    std::vector<std::string> allowed;              // of FWD entries: no ad list denies these names
    std::vector<Forward> forwards;                 // of rows with several servers
    std::vector<Note> notes;                       // about rows that were left out
};
Statics read_statics(const RosDns& dns, const Forwarders& forwarders);

// Returns false, and writes only notes, if there are no lists.
bool write_adlist(Sheet& sheet, const RosDns& dns, const std::vector<std::string>& allowed);

}  // namespace steer::importing
