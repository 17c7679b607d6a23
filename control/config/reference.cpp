#include "control/config/reference.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/plugin_type.h"
#include "control/config/predecessors.h"
#include "control/config/sections/router_access.h"
#include "control/config/sections/section_rows.h"
#include "control/config/sections/sections.h"
#include "control/config/special_names.h"
#include "dataplane/limits/limit_table.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

This page describes every section, plugin and key of the configuration file. It is generated from
the tables of the parser by `steerdnsd --config-reference`.

Check a file before you use it:

```sh
steerdnsd --config /etc/steerdns/steerdns.yaml --check
```

A configuration is one YAML file. `steerdnsd --config FILE` starts the daemon with it. `--check`
only reads the file and reports every error with file and line. All sections except `plugins` have
defaults. An unknown section, key, plugin type or tag is an error.

The policy language is that of ForgeDNS/OxiDNS and mosdns v5. Differences are described with each
plugin.

- **Paths** are relative to the folder of the configuration file, or to the folder set with `-d`.
- **Durations** are whole seconds (`90`) or numbers with a unit: `250ms`, `5s`, `3m`, `1h`, `1d`,
  `1w`, also `1h30m`.
- **Sizes** are numbers with a unit: `512KiB`, `64MiB`, `2GiB`.
- **Environment variables**: `${NAME}`, `${env:NAME}` and `${NAME:-default}` in a value are
  replaced. `$${` is a literal `${`. A value that is only a placeholder may become a number or
  true/false. Placeholders for properties of a query (`${qname}`) are kept.
- **Other files**: `include: [FILE, ...]` inserts the `plugins` of other files before those of this
  file. Other sections of an included file are ignored. Files may include files, up to 8 levels.
  Paths in `include` are relative to the including file. All other paths are relative as described
  above. Tags must be unique over all files.
- **Not supported yet**: such a key may be written with its default value. Any other value is an
  error.
)";

constexpr std::string_view kRules = R"(## Rule text

Rules select domain names, in sets, matchers and `hosts`.

| rule | matches |
|---|---|
| `full:NAME` | the name itself |
| `domain:NAME`, or `NAME` alone | the name and all names below it |
| `keyword:TEXT` | names that contain TEXT |
| `regexp:EXPRESSION` | names in which the expression is found, in any case |

A name has letters, digits, `-` and `_`. Case and a final dot do not matter. International names
(`münchen.de`, in UTF-8) are converted to their xn-- form, except in a `keyword:`. `\DDD` is any
byte (RFC 1035 5.1), and `/` is allowed below `in-addr.arpa` (RFC 2317). Everything else is an
error that says what to write: forms of other programs such as `+.NAME`, `*.NAME`, `||NAME^` and
`DOMAIN-SUFFIX,NAME`, quotes, unknown prefixes, IP addresses, and names whose last label has only
digits (RFC 1123). Regular expressions use Hyperscan, which has no look-around and no
back-references.

Files contain one rule per line. `#` starts a comment at the beginning of a line or after a blank,
but not in a `regexp:`. An invalid line is skipped with a warning that has its number. With
`strict: true` it is an error. If more than half of the lines of a list are invalid, it has another
format and is rejected: a reload keeps the previous version.

Several rules in one text (`qname a.example,b.example`, `args: "a.example b.example"`) are separated
by blanks and commas, after a `regexp:` by blanks only. Items of a YAML list are never split.
)";

std::string table_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

// A cell of the table's default column.
std::string default_cell(std::string_view text) {
    if (text.empty() || text == "none") return "";
    if (text.front() == '(') return table_text(text.substr(1, text.size() - 2));
    if (text == "required") return "**required**";
    return "`" + table_text(text) + "`";
}

// "one of" with its words, or the kind with its range.
std::string kind_cell(const RowText& row) {
    if (row.range.find('|') == std::string_view::npos) {
        if (row.range.empty()) return std::string(row.kind);
        const bool nearest = row.range.front() == '~';
        return std::string(row.kind) + ", " + std::string(row.range.substr(nearest ? 1 : 0)) +
               (nearest ? " (limited to this range, with a warning)" : "");
    }
    std::string out;
    for (std::string_view rest = row.range; !rest.empty();) {
        const auto bar = rest.find('|');
        std::string word(rest.substr(0, bar));
        if (const auto slash = word.find('/'); slash != std::string::npos)
            word.replace(slash, 1, "` or `");  // a synonym
        out += (out.empty() ? "`" : ", `") + word + "`";
        rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
    }
    return out;
}

// The word of `text` that begins at `from`: up to a blank outside of `code`.
std::string_view word_at(std::string_view text, std::size_t from) {
    bool code = false;
    for (std::size_t at = from; at < text.size(); ++at) {
        if (text[at] == '`') code = !code;
        if (text[at] == ' ' && !code) return text.substr(from, at - from);
    }
    return text.substr(from);
}

// One paragraph or item of a list, in lines of at most kWidth columns.
void write_line(std::ostream& out, std::string_view line) {
    constexpr std::size_t kWidth = 100;
    const bool item = line.starts_with("- ");
    std::size_t column = 0;
    for (std::size_t at = 0; at < line.size();) {
        const std::string_view word = word_at(line, at);
        at += word.size() + 1;
        if (column == 0) {
            out << word;
            column = word.size();
        } else if (column + 1 + word.size() <= kWidth) {
            out << ' ' << word;
            column += 1 + word.size();
        } else {
            out << '\n' << (item ? "  " : "") << word;
            column = word.size() + (item ? 2 : 0);
        }
    }
    out << '\n';
}

// Paragraphs and lists: each line of `text` is one of them, empty lines stay.
void write_prose(std::ostream& out, std::string_view text) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        write_line(out, text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

// What does not fit a cell, as a list below the table.
void write_details(std::ostream& out, const std::vector<RowText>& rows) {
    bool any = false;
    for (const RowText& row : rows) {
        if (row.not_yet || row.details.empty()) continue;
        if (!any) out << '\n';
        any = true;
        write_line(out, "- `" + std::string(row.name) + "`: " + std::string(row.details));
    }
}

void write_rows(std::ostream& out, const std::vector<RowText>& rows) {
    if (rows.empty()) return;
    out << "| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const RowText& row : rows) {
        if (row.not_yet) continue;
        out << "| `" << row.name << "` | " << kind_cell(row) << " | "
            << default_cell(row.default_text) << " | " << table_text(row.text) << " |\n";
    }
    write_details(out, rows);
    std::string later;
    for (const RowText& row : rows) {
        if (!row.not_yet) continue;
        later += (later.empty() ? "`" : ", `") + std::string(row.name) + "`";
        if (!row.default_text.empty()) later += " (`" + std::string(row.default_text) + "`)";
    }
    if (!later.empty()) out << "\nNot supported yet: " << later << ".\n";
    out << '\n';
}

constexpr std::string_view kArp =
    R"(`arp` sets the ARP mode of the port's interface, with the names of RouterOS. The interface is the
exception interface, or the device itself if the kernel sees it. The daemon sets the kernel's
`net.ipv4.conf.IF` and `net.ipv4.neigh.IF` only if `arp` is written, and restores them at shutdown.
The mode applies to IPv4 only. The kernel uses the larger value of `conf.all` and `conf.IF`.

| `arp` | effect | kernel settings |
|---|---|---|
| `enabled` | replies, resolves and learns | `arp_ignore=0`, `proxy_arp=0`, `proxy_arp_pvlan=0`, `mcast_solicit=3`, `ucast_solicit=3` |
| `disabled` | neither replies nor resolves; both sides need static entries | `arp_ignore=8`, `mcast_solicit=0`, `ucast_solicit=0` |
| `reply-only` | replies, but uses only static entries | `mcast_solicit=0`, `ucast_solicit=0`; entries learned from requests are removed |
| `proxy-arp` | also replies for addresses routed through another interface | `proxy_arp=1`; needs `forwarding=1` |
| `local-proxy-arp` | replies for neighbours on the same interface | `proxy_arp_pvlan=1`, `send_redirects=0`; needs `forwarding=1` |

DNS answers over UDP are sent to the MAC address that the query came from, in every mode.

New addresses of a port's interface are announced with two gratuitous ARPs (RFC 5227) or three
unsolicited neighbour advertisements (RFC 4861 7.2.6).
)";

constexpr std::string_view kFetch =
    R"(**Lists from URLs**: these keys accept URLs (`http://`, `https://`):

- `files` of `domain_set`, `ip_set`, `adguard_rule` and `hosts`
- `lists` of `adlist`
- `file` of `geosite` and `geoip`

A file of v2fly's data folder that includes other files cannot be a URL.

The copy of a list is stored in the folder `lists`, under a name derived from its URL. A start uses
the copy at once and queries the server in the background. Without a copy, the list is empty until
it has been fetched, even with `strict: true`. `steerctl lists fetch` fetches all lists now.

Server names are resolved by the upstreams of the configuration's `forward` plugins. A machine that
is its own resolver can therefore start. If none of these upstreams answers, the system's resolvers
(`nameserver` lines) are used, and the log says so.

**Checks**: a new copy replaces the old one in one step. All of these conditions must hold:

- The download is complete, and its decompressed size is at most `max_size`.
- The content is a list: no HTML page, JSON document, archive or binary data. It has at least as
  many valid rules as invalid lines.
- Each plugin that uses the list accepts at least one rule. With `strict: true`, every line must be
  valid. An `adlist` accepts at most `max_names` rules.
- The list has lost at most `max_shrink` percent of its rules.

Otherwise the last good copy stays in use. The log, `steerctl lists` and the metrics show the
reason. `steerctl lists fetch --any-size` accepts a shorter list once.

The same checks apply to lists in local files, at a reload. If a list fails, the reload is rejected
and the current lists stay in use. `steerctl reload --any-size` accepts shorter lists. A start
cannot compare sizes and accepts a short file. A file that a `download` fetches is checked too, if a
plugin reads it as a list.

**Reports**: the number of rules per list is in the log, in `steerctl lists`, in `steerctl status`
and in the metrics. The invalid lines of a file produce one warning with their number and the first
three.

| metric | meaning |
|---|---|
| `steerdns_list_fetches` | fetches by outcome |
| `steerdns_list_kept` | 1 while an older copy is used because the new one was rejected |
| `steerdns_list_age_seconds` | time since a list was last fetched or found unchanged |
| `steerdns_lists_missing` | lists that were never fetched |
| `steerdns_list_rules` | active rules of a list |
| `steerdns_list_bad_lines` | invalid lines of a list |
| `steerdns_list_left_out` | rules of a list that are not supported and were skipped |
| `steerdns_list_loaded` | 0 while a list from a URL was never fetched |

**HTTP**: requests send the ETag and Last-Modified of the last response. Up to five redirects are
followed, but never from https to http. https servers are verified by name. A redirect must not lead
from a public server to a private, shared, link-local or loopback address.
)";

void write_limits(std::ostream& out) {
    out << "| `what` | counts by | unit of `rate` | what is counted |\n|---|---|---|---|\n";
    for (const LimitFact& fact : kLimitFacts) {
        if (fact.is_quota) continue;
        out << "| `" << fact.name << "` | " << fact.key << " | " << fact.unit << " | " << fact.text
            << " |\n";
    }
    out << "\nQuotas of other settings are always in force:\n\n"
           "| quota | for each | set by | what is limited |\n|---|---|---|---|\n";
    for (const LimitFact& fact : kLimitFacts) {
        if (!fact.is_quota) continue;
        out << "| `" << fact.name << "` | " << fact.key << " | " << fact.setting << " | "
            << fact.text << " |\n";
    }
    out << '\n';
}

void write_special_names(std::ostream& out) {
    constexpr std::size_t kLongest = 64;
    constexpr std::string_view kAnswers[] = {"NXDOMAIN, also below", "empty zone",
                                             "127.0.0.1 and ::1, also below", "PTR localhost",
                                             "no data, also below; always"};
    static_assert(std::size(kAnswers) == static_cast<std::size_t>(SpecialKind::no_data) + 1);
    out << "Special-use names and empty zones that are answered without an upstream "
           "(`resolve_special`):\n\n| name | answer | source | also sent to private upstreams "
           "|\n|---|---|---|---|\n";
    for (const SpecialRow& row : special_rows()) {
        std::string names(row.names);
        if (const auto dots = names.find(".."); dots != std::string::npos) {
            const std::string first = names.substr(0, dots), rest = names.substr(dots + 2);
            names = first;
            names.append(rest, rest.find('.')).append("` to `").append(rest);
        } else if (names.size() > kLongest) {  // no page has room for it
            const auto known = std::ranges::find(special_names(), row.names, &SpecialName::name);
            names = known->addresses.value().to_string();
        }
        out << "| `" << names << "` | " << kAnswers[static_cast<std::size_t>(row.kind)] << " | "
            << row.rfc << " | " << (row.is_private ? "yes" : "no") << " |\n";
    }
    out << '\n';
    write_line(out,
               "\"Also sent to private upstreams\": a `forward` asks for these names if one of its "
               "upstreams has a private, shared, link-local or loopback address, or if the last "
               "`forward` of the entry has one. The usual router knows its own network. A DS "
               "query for a name of the table itself is always forwarded, because the parent zone "
               "has that record. `::/128` and `::1/128` stand for their names below ip6.arpa.");
    out << '\n';
}

void write_sections(std::ostream& out) {
    out << "## Sections\n\n";
    for (const Section& section : sections()) {
        if (section.rows == nullptr) continue;
        out << "### `" << section.name << "`\n\n";
        write_prose(out, section.text);
        out << '\n';
        write_rows(out, section.rows());
        if (section.name == "log") write_part(out, "rotation", rotation_row_texts());
        if (section.name == "dataplane") {
            write_part(out, "ports[]", port_row_texts());
            write_part(out, "ports[].exception_rates", exception_rate_row_texts());
            out << "Each value is the maximum number of packets per second and receive queue.\n\n";
            write_part(out, "ports[].neighbours[]", neighbour_row_texts());
            out << kArp << '\n';
        }
        if (section.name == "control") {
            write_part(out, "roles[]", role_row_texts());
            write_part(out, "http", http_row_texts());
            write_part(out, "http.tls", http_tls_row_texts());
            write_part(out, "http.tokens[]", token_row_texts());
            write_part(out, "http.client_certificates[]", client_certificate_row_texts());
            write_part(out, "fetch", fetch_row_texts());
            out << kFetch << '\n';
        }
        if (section.name == "policy") write_special_names(out);
        if (section.name == "limits") write_limits(out);
        if (section.name == "routers") write_part(out, "tls", tls_row_texts());
        if (section.name == "fleet") write_part(out, "tls", fleet_tls_row_texts());
        if (section.name == "opnsense") write_part(out, "tls", opnsense_tls_row_texts());
    }
}

void write_type(std::ostream& out, const PluginType& type) {
    out << "### `" << type.name << "`\n\n";
    write_prose(out, type.text);
    out << '\n';
    if (!type.quick.empty()) out << "Inline form: `" << type.quick << "`\n\n";
    if (type.args == "none") {
        out << "`args`: none.\n\n";
    } else if (!type.args.empty()) {
        write_line(out, "`args`: " + std::string(type.args) + ".");
        out << '\n';
    }
    write_rows(out, type.rows());
    if (type.extras.reference != nullptr) type.extras.reference(out);
}

// The types of a role, each a link to its heading.
void write_index(std::ostream& out, std::string_view title, Role role) {
    std::string line = "- **" + std::string(title) + "**";
    std::string_view separator = ": ";
    for (const PluginType* type : plugin_types()) {
        if (type->role != role) continue;
        line += std::string(separator) + "[`" + std::string(type->name) + "`](#" +
                std::string(type->name) + ")";
        separator = ", ";
    }
    write_line(out, line);
}

void write_types(std::ostream& out) {
    constexpr std::string_view kPlugins =
        "`plugins` is a list of `{tag, type, args}`, in any order. A `tag` must be unique; without "
        "one the plugin is called `TYPE_N`. Refer to a plugin by its bare name in `entry`, `sets` "
        "and `router`, and by `$TAG` in `exec`, `matches` and `args`.";
    constexpr std::pair<Role, std::string_view> kRoles[] = {{Role::provider, "Providers"},
                                                            {Role::matcher, "Matchers"},
                                                            {Role::executor, "Executors"},
                                                            {Role::server, "Servers"}};
    out << "## Plugins\n\n";
    write_line(out, kPlugins);
    out << '\n';
    for (const auto& [role, title] : kRoles)
        write_index(out, title, role);
    out << '\n';
    for (const auto& [role, title] : kRoles) {
        out << "## " << title << "\n\n";
        for (const PluginType* type : plugin_types()) {
            if (type->role == role) write_type(out, *type);
        }
    }
}

// What is read of predecessors beyond that.
void write_predecessors(std::ostream& out) {
    out << "## Of predecessors\n\nConfigurations of ForgeDNS, OxiDNS and mosdns may hold the "
           "following. What has no "
           "effect changes no answer:\neach that is written is one warning.\n\n"
           "| plugin type | here | |\n|---|---|---|\n";
    for (const PredecessorType& type : predecessors::kTypes) {
        out << "| `" << type.name << "` | "
            << (type.fate == PredecessorType::Fate::refused ? "refused" : "no effect") << " | "
            << table_text(type.text) << " |\n";
    }
    out << "\n| key | of | here | |\n|---|---|---|---|\n";
    for (const PredecessorKey& key : predecessors::kKeys) {
        const bool zero = key.fate == PredecessorKey::Fate::zero_is_default;
        out << "| `" << key.key << "` | `" << key.where << "` | "
            << (zero ? "0 means the default" : "no effect") << " | " << table_text(key.text)
            << " |\n";
    }
    out << '\n';
}

}  // namespace

void write_part(std::ostream& out, std::string_view name, const std::vector<RowText>& rows) {
    out << "Keys of `" << name << "`:\n\n";
    write_rows(out, rows);
}

void write_paragraph(std::ostream& out, std::string_view text) {
    write_line(out, text);
}

void write_reference(std::ostream& out) {
    out << kIntroduction << '\n';
    write_sections(out);
    write_types(out);
    write_predecessors(out);
    out << kRules;
}

Result<void> explain_plugin(std::string_view type, std::ostream& out) {
    if (const PluginType* const known = find_type(type)) {
        write_type(out, *known);
        return {};
    }
    if (const auto* const theirs = predecessors::find_type(type)) {
        const bool refused = theirs->fate == PredecessorType::Fate::refused;
        return Error{"plugin type " + matchers::quoted(type) +
                     (refused ? " is not supported: " : " has no effect here: ") +
                     std::string(theirs->text)};
    }
    return Error{"there is no plugin type " + matchers::quoted(type) + did_you_mean_type(type)};
}

}  // namespace steer::config
