#include "control/config/reference.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/plugins/plugin_type.h"
#include "control/config/router_access.h"
#include "control/config/sections.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

This page is made from the tables that the parser uses: `steerdnsd --config-reference`.

A configuration is one YAML file: `steerdnsd --config FILE` runs it, `--check` reads it and says everything that is wrong
with it at once, each with file and line, without touching anything. Everything but `plugins` has a default. An unknown
section, key, plugin type or tag is an error.

The policy language is that of ForgeDNS/OxiDNS and mosdns v5; what differs stands at its place.

- **Paths** start from the folder of the configuration, or from the folder given by `-d`.
- **Durations** are whole seconds (`90`) or a number with a unit: `250ms`, `5s`, `3m`, `1h`, `1d`, `1w`, also `1h30m`.
- **Sizes** are bytes with a unit: `512KiB`, `64MiB`, `2GiB`.
- **Environment**: `${NAME}`, `${env:NAME}` and `${NAME:-default}` in a value are replaced; `$${` is a plain `${`. A value
  that is one placeholder may be a number or true/false. Names of a query's facts (`${qname}`) are left as they are.
- **Other files**: `include: [FILE, ...]` takes the `plugins` of other files, and of what these include (8 levels), before its
  own; nothing else of them is taken. Their paths start from the folder of the file that names them; other paths in them
  start as above. Tags are unique over all files.
- **Not supported yet**: a key that is marked so may be written with its default, and is refused with any other value.
)";

constexpr std::string_view kRules = R"(## Rule text

| rule | holds for |
|---|---|
| `full:NAME` | the name itself |
| `domain:NAME`, or `NAME` alone | the name and everything below it |
| `keyword:TEXT` | names with TEXT in them |
| `regexp:EXPRESSION` | names in which the expression is found, in any case (Hyperscan: no look-around, no back-references) |

Names are compared without case and without a last dot. International names (`münchen.de`, in UTF-8) become their xn--
form, except in a `keyword:`. Another prefix is an error. In files: one rule a line; `#` at the
start of a line or after a blank begins a comment (not in a `regexp:`); a bad line is named in a warning and left out, and
is an error with `strict: true` or if no line of the file is good.

Words in one text (`qname a.example,b.example`, `args: "a.example b.example"`) are split at blanks and commas, a `regexp:`
word at blanks alone; items of a list are never split.
)";

constexpr std::string_view kSequence =
    R"(Rules run top down. `matches` is one matcher or a list of which all must hold; `!` before a matcher negates it. A matcher is
`$TAG` or a type in place (`qname domain:example.org`). `exec` is one of:

| `exec` | meaning |
|---|---|
| `accept` | ends the program with the response as it is |
| `return` | leaves this sequence: after a `jump` to it the caller goes on, else the program ends; in a sequence that another one executes (`$TAG`) it leaves that one as well |
| `reject [RCODE]` | answers with a code, by number or name (REFUSED without one), and ends the program |
| `drop` | ends the program without any answer, also where there was one; the verdict `dropped_by_policy` counts it |
| `mark N...` | marks the query |
| `jump TAG` | runs another sequence, then goes on here, also after `return` in it; not after `accept`, `reject` or `drop` |
| `goto TAG` | runs another sequence in place of the rest of this one; a sequence that jumped here goes on |
| `$TAG` | runs an executor; of a sequence: its rules, then goes on here (accept, reject, drop and return in it end this one too; in mosdns they do not) |
| a type in place | `forward 192.0.2.1`, `cache 4096 short_circuit`, `debug_print TEXT`, `query_summary TEXT` |

**Nothing stops by itself**: after `cache` or `forward` the next rule runs. Put
`matches: has_resp` with `exec: accept` after a cache, or give it `short_circuit: true`. A query that comes to the end
without an answer gets NOERROR without records (mosdns: REFUSED); `--check` warns where that can happen.

`cache`, `ros_address_list`, `reverse_lookup`, `metrics_collector`, `learn_domain` and `query_summary` wrap the rest of their own sequence:
it runs inside them, and they act on the response that it leaves.

**Entry**: queries enter the sequence that no other plugin refers to. With more than one such sequence, name it as `entry`
of a `udp_server` and a `tcp_server`. Without a server plugin, UDP and TCP port 53 of every service address is served.
)";

constexpr std::string_view kForward =
    R"(One upstream is asked, chosen by `policy`, and the next one if it does not answer in time or answers
SERVFAIL or REFUSED, until `total_timeout` (ForgeDNS and mosdns ask one at random and do not retry). In place, `forward A B`
asks all its addresses at once.
)";

constexpr std::string_view kLists =
    R"(With the record's TTL t, `min_ttl` m, `max_ttl` M and `extra_time` x: the TTL that leaves is min(t, M - x), the row lives
max(clamp(t, m, M), that + x). `fixed_ttl` F: min(t, F - x) and F; with F = 0 the row has no timeout and t leaves unchanged.

Comments on the router are `PREFIX;pg=TAG;kind=D;dm=NAME` (`kind=P` for persistent rows), as ForgeDNS writes them; rows of
others are never touched. Differences to ForgeDNS: `cleanup_on_shutdown` is false unless it is written, and with
`async: false` an answer waits at most `sync_timeout`, not 8 seconds. A router that is away never stops DNS.
)";

std::string escaped(std::string_view text) {
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
    if (text.front() == '(') return escaped(text.substr(1, text.size() - 2));
    if (text == "required") return "**required**";
    return "`" + escaped(text) + "`";
}

// "one of" with its words, or the kind with its range.
std::string kind_cell(const RowText& row) {
    if (row.range.find('|') == std::string_view::npos) {
        if (row.range.empty()) return std::string(row.kind);
        const bool nearest = row.range.front() == '~';
        return std::string(row.kind) + ", " + std::string(row.range.substr(nearest ? 1 : 0)) +
               (nearest ? " (else the nearest, with a warning)" : "");
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

void write_rows(std::ostream& out, const std::vector<RowText>& rows) {
    if (rows.empty()) return;
    out << "| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const RowText& row : rows) {
        if (row.not_yet) continue;
        out << "| `" << row.name << "` | " << kind_cell(row) << " | "
            << default_cell(row.default_text) << " | " << escaped(row.text) << " |\n";
    }
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
    R"(`arp` of a port, as RouterOS has it, is done by the kernel on the port's interface (the exception interface,
or the device itself) by `net.ipv4.conf.IF` and `net.ipv4.neigh.IF`, set only if it is written and set back at the end.
It is IPv4 alone. Of `conf.all` and `conf.IF` the kernel takes the larger.

| `arp` | what it does | kernel |
|---|---|---|
| `enabled` | answers, asks and learns | `arp_ignore=0`, `proxy_arp=0`, `proxy_arp_pvlan=0`, `mcast_solicit=3`, `ucast_solicit=3` |
| `disabled` | neither answers nor asks: only static entries of both sides | `arp_ignore=8`, `mcast_solicit=0`, `ucast_solicit=0` |
| `reply-only` | answers, but uses only static entries | `mcast_solicit=0`, `ucast_solicit=0`; what it learns from requests is removed at once |
| `proxy-arp` | answers as well for what it routes by another interface | `proxy_arp=1`; needs `forwarding=1` |
| `local-proxy-arp` | answers for neighbours of the same interface | `proxy_arp_pvlan=1`, `send_redirects=0`; needs `forwarding=1` |

Answers to DNS over UDP go back to the MAC address that asked, whatever `arp` says.
Addresses that appear on a port's interface are announced: two gratuitous ARPs (RFC 5227) or three unsolicited
neighbour advertisements (RFC 4861 7.2.6).
)";

constexpr std::string_view kFetch =
    R"(An item of `files` of a domain_set, ip_set, adguard_rule or hosts, of `lists` of an adlist, and the `file` of a geosite or
geoip, may be a URL (`http://`, `https://`). Its copy lies in `lists` under a name made of the URL; the start uses it at once
and asks the server beside it. Servers' names are asked of the upstreams of the configuration's `forward` plugins, so a
machine that is its own resolver can start; of the system's resolver (its `nameserver` lines) only if none of them answers,
which the log says.

A copy is replaced, in one step, only if all of this holds:

- all of it came (unpacked, if it was sent as gzip), and it is no larger than `max_size`;
- it is a list: no HTML page, JSON document, archive or binary data, and it has no more bad lines than rules;
- each plugin that uses it takes a rule from it (with `strict: true` every line is good; an adlist takes no more than
  `max_names`);
- it has not lost more than `max_shrink` percent of its rules.

Then it is in force as after a reload. Otherwise the last good copy stays. The log, `steerctl lists` and the metrics
(`steerdns_list_fetches`, `steerdns_list_kept`, `steerdns_list_age_seconds`, `steerdns_lists_missing`) say why.
`steerctl lists fetch --any-size` takes a list that really is shorter, once.

The same checks hold for lists in local files. A reload that finds a page, mostly bad lines or a list that lost more
than `max_shrink` is refused and what is in force stays; `steerctl reload --any-size` takes shorter lists. A start has
nothing to compare with and takes a short file as it is. A `download` whose file a plugin reads as a list is checked as
that list.

The log, `steerctl lists`, `steerctl status` and the metrics (`steerdns_list_rules`, `steerdns_list_bad_lines`,
`steerdns_list_left_out`, `steerdns_list_loaded`) show the rules of each list. The bad lines of a file are one warning
with their number and the first three.

Servers are asked with the ETag and Last-Modified that they gave. Five redirects are followed, from https to http none;
https servers are verified by name. A redirect may not lead nearer to this machine than the server that sent it is: a
public server cannot redirect to private, shared, link-local or loopback addresses, whether written or looked up.

Without any copy the list is empty until it came, whatever `strict` says: a resolver that does not start could not fetch it
either. `steerctl lists fetch` asks for all of them now. A file of v2fly's data/ that includes others cannot be named by a
URL.
)";

void write_part(std::ostream& out, std::string_view name, const std::vector<RowText>& rows) {
    out << "Keys of `" << name << "`:\n\n";
    write_rows(out, rows);
}

void write_sections(std::ostream& out) {
    out << "## Sections\n\n";
    std::string later;
    for (const Section& section : sections()) {
        if (section.text.empty())
            later += (later.empty() ? "`" : ", `") + std::string(section.name) + "`";
        if (section.rows == nullptr) continue;
        out << "### `" << section.name << "`\n\n" << section.text << "\n\n";
        write_rows(out, section.rows());
        if (section.name == "dataplane") {
            write_part(out, "ports[]", port_row_texts());
            write_part(out, "ports[].exception_rates", exception_rate_row_texts());
            write_part(out, "ports[].neighbours[]", neighbour_row_texts());
            out << kArp << '\n';
        }
        if (section.name == "control") {
            write_part(out, "fetch", fetch_row_texts());
            out << kFetch << '\n';
        }
        if (section.name == "routers") write_part(out, "tls", tls_row_texts());
    }
    out << "Sections that are not supported yet: " << later << ".\n\n";
}

void write_type(std::ostream& out, const PluginType& type) {
    out << "### `" << type.name << "`\n\n" << type.text << "\n\n";
    if (!type.quick.empty()) out << "In place: `" << type.quick << "`\n\n";
    if (type.args == "none") {
        out << "It takes no `args`.\n\n";
    } else if (!type.args.empty()) {
        out << "`args`: " << type.args << ".\n\n";
    }
    write_rows(out, type.rows());
    if (type.name == "sequence") out << kSequence << '\n';
    if (type.name == "forward") {
        write_part(out, "upstreams[]", upstream_row_texts());
        out << kForward << '\n';
    }
    if (type.name == "download") write_part(out, "downloads[]", download_row_texts());
    if (type.name == "cron") write_part(out, "jobs[]", job_row_texts());
    if (type.name == "static") write_part(out, "records[]", static_record_rows());
    if (type.name == "http_server") write_part(out, "entries[]", http_path_row_texts());
    if (type.name == "nftset") write_part(out, "ipv4", nftables_set_row_texts());
    if (type.name == "ros_address_list") {
        write_part(out, "persistent", persistent_row_texts());
        out << kLists << '\n';
    }
}

void write_types(std::ostream& out) {
    out << "## Plugins\n\n`plugins` is a list of `{tag, type, args}`. A `tag` is unique; one that "
           "is left out becomes "
           "`TYPE_N`. Plugins may stand in any\norder. `entry`, `sets` and `router` take a bare "
           "name; in `exec`, `matches` "
           "and `args` a tag is written `$TAG`.\n\n";
    constexpr std::pair<Role, std::string_view> kRoles[] = {{Role::provider, "Providers"},
                                                            {Role::matcher, "Matchers"},
                                                            {Role::executor, "Executors"},
                                                            {Role::server, "Servers"}};
    for (const auto& [role, title] : kRoles) {
        out << "## " << title << "\n\n";
        for (const PluginType* type : plugin_types()) {
            if (type->role == role) write_type(out, *type);
        }
        std::string later;
        for (const PluginTypeNotYet& type : plugin_types_not_yet()) {
            if (type.role == role)
                later += (later.empty() ? "`" : ", `") + std::string(type.name) + "`";
        }
        if (!later.empty()) out << "Not supported yet: " << later << ".\n\n";
    }
}

}  // namespace

void write_reference(std::ostream& out) {
    out << kIntroduction << '\n';
    write_sections(out);
    write_types(out);
    out << kRules;
}

Result<void> explain_plugin(std::string_view type, std::ostream& out) {
    if (const PluginType* const known = find_type(type)) {
        write_type(out, *known);
        return {};
    }
    if (find_type_not_yet(type) != nullptr)
        return Error{"plugin type " + matchers::quoted(type) + " is not supported yet"};
    return Error{"there is no plugin type " + matchers::quoted(type) + did_you_mean_type(type)};
}

}  // namespace steer::config
