// Converts the settings of a router's DNS server to our configuration (docs/guides/import.md has the table).
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
// Of an export's text; `source`: what it is called in the first line.
Imported import_routeros(std::string_view text, std::string_view source);

// ---- the parts

// A row's property that a row of that menu does not have is noted.
std::vector<Note> unknown_properties(const RosRow& row, const std::vector<std::string_view>& known);

// The upstreams that everything goes to.
Forward main_forward(const RosDns& dns);
// What of /ip/dns has no place elsewhere.
std::vector<Note> other_settings(const RosDns& dns);

// /ip/dns/forwarders: the tag of each by its name; disabled ones and those without upstreams get a note.
struct Forwarders {
    std::vector<Forward> all;
    std::map<std::string, std::string> tags;
    std::vector<Note> notes;
};
Forwarders read_forwarders(const RosDns& dns);

// Servers of a row's forward-to: addresses and names, with the timeout of query-server-timeout.
Forward forward_to_servers(const RosDns& dns, const std::vector<std::string>& servers,
                           const std::string& place);

// How many queries may wait for it: doh-max-concurrent-queries if it asks over DoH, else
// max-concurrent-queries. Nothing where the property is not set.
void limit_queries(const RosDns& dns, Forward& forward);
// Limits that no forward got, unless they are RouterOS's defaults.
std::vector<Note> limits_of_nobody(const RosDns& dns, const std::vector<const Forward*>& all);

// /ip/dns/static, and what its rows need beside them.
struct Statics {
    std::vector<Record> records;
    std::map<std::string, std::string> list_tags;  // of address lists: name, tag
    std::vector<std::string> allowed;              // rules of FWD entries: no ad list denies these
    std::vector<Forward> forwards;                 // of rows that name several servers
    std::vector<Note> notes;                       // about rows that are not here
};
Statics read_statics(const RosDns& dns, const Forwarders& forwarders);

// Without lists there is nothing to write but notes: false.
bool write_adlist(Sheet& sheet, const RosDns& dns, const std::vector<std::string>& allowed);

}  // namespace steer::importing
