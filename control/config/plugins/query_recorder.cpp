// query_recorder: keeps queries and answers in a database, in files of JSON lines, or sends them by dnstap.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/plugin_type.h"
#include "control/config/reference.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kLongestSocket = 107;  // sun_path
constexpr std::size_t kLongestIdentity = 255;
constexpr std::size_t kMaxRecordedMarks = 48;  // of all recorders: QueryRecord::kMarkBits

template <class T, auto Member>
void read_path(Reading& in, const Node& node, const Place& place, T& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    if (path.empty() || path.ends_with('/')) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(path) +
                                          ": expected the path of a file, such as "
                                          "/var/lib/steerdns/queries");
        return;
    }
    out.*Member = in.resolve(path, place.line);
}

template <class T, std::uint64_t Min>
void read_size(Reading& in, const Node& node, const Place& place, T& out) {
    constexpr std::uint64_t kMax = std::uint64_t{4} << 40;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < Min || *bytes > kMax) {
        in.report().error(place.line, place.name() + found(node) + "expected " +
                                          (Min >= (1U << 20U) ? "16MiB" : "64KiB") +
                                          "..4096GiB such as 1GiB");
        return;
    }
    out.max_size = *bytes;
}

// ---- JSON lines

constexpr std::array<Row<RecorderJson>, 4> kJsonRows{{
    {"file", Files<RecorderJson>{"path", read_path<RecorderJson, &RecorderJson::file>}, "required",
     "", "file that gets one JSON object per line and query"},
    {"max_size", Own<RecorderJson>{"size", read_size<RecorderJson, std::uint64_t{64} << 10>},
     "100MiB", "64KiB..4096GiB", "size at which the file is renamed to `FILE.TIME`"},
    {"max_age", &RecorderJson::max_age, "1d", "1m..365d",
     "age of its first line at which the file is renamed"},
    {"max_files", &RecorderJson::max_files, "7", "0..100000",
     "number of renamed files that are kept; 0: all"},
}};

template <auto Member>
void read_json(Reading& in, const Node& node, const Place& place, QueryRecorder& out) {
    RecorderJson json;
    if (node.is_text()) {  // short for `file`
        Node map;
        map.kind = Node::Kind::map;
        map.line = node.line;
        map.entries.push_back({"file", place.line, node});
        if (read_rows(in, map, kJsonRows, place.name(), json)) out.*Member = std::move(json);
        return;
    }
    if (read_rows(in, node, kJsonRows, place.name(), json)) out.*Member = std::move(json);
}

// ---- dnstap

void read_tap_address(Reading& in, const Node& node, const Place& place, RecorderTap& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    if (text.starts_with("unix:")) {
        std::string path = in.resolve(text.substr(5), place.line);
        if (text.size() > 5 && path.size() <= kLongestSocket) {
            out.socket = std::move(path);
            return;
        }
    } else if (text.starts_with("tcp://")) {
        const auto at = parse_endpoint(std::string_view(text).substr(6));
        if (at && !at->any()) {
            out.address = at->address;
            out.port = at->port;
            return;
        }
    }
    in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                      ": expected 'unix:/PATH' (at most 107 characters) or "
                                      "'tcp://ADDRESS:PORT'");
}

void read_identity(Reading& in, const Node& node, const Place& place, RecorderTap& out) {
    if (!read_value(in, node, place, {}, out.identity)) return;
    if (out.identity.size() > kLongestIdentity) {
        in.report().error(place.line, place.name() + ": expected at most 255 bytes");
    }
}

constexpr std::array<Row<RecorderTap>, 2> kTapRows{{
    {"address", Own<RecorderTap>{"address", read_tap_address}, "required", "",
     "where a receiver listens: `unix:/PATH` or `tcp://ADDRESS:PORT`"},
    {"identity", Own<RecorderTap>{"text", read_identity}, "(the machine's name)", "",
     "name of this server in the messages"},
}};

void read_tap(Reading& in, const Node& node, const Place& place, QueryRecorder& out) {
    RecorderTap tap;
    if (node.is_text()) {  // short for `address`
        read_tap_address(in, node, {"address", place.owner, place.line}, tap);
        out.dnstap = std::move(tap);
        return;
    }
    if (read_rows(in, node, kTapRows, place.name(), tap)) out.dnstap = std::move(tap);
}

// ---- the plugin

void read_except(Reading& in, const Node& node, const Place& place, QueryRecorder& out) {
    out.except_clients = read_prefixes(in, node, place);
}

template <auto Member>
void read_marks(Reading& in, const Node& node, const Place& place, QueryRecorder& out) {
    auto& marks = out.*Member;
    for (const Text& text : read_texts(in, node, place)) {
        const auto mark = parse_integer(text.value);
        if (mark && *mark <= UINT32_MAX) {
            marks.push_back(static_cast<std::uint32_t>(*mark));
        } else {
            in.report().error(text.line,
                              place.name() + " has " + matchers::quoted(text.value) +
                                  ": expected numbers, 0..4294967295, that a rule sets with 'exec: "
                                  "mark N'");
        }
    }
    std::ranges::sort(marks);
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
    if (marks.size() > kMaxRecordedMarks) {
        in.report().error(place.line, place.name() + " has " + std::to_string(marks.size()) +
                                          " numbers: expected at most " +
                                          std::to_string(kMaxRecordedMarks));
    }
}

constexpr std::array<Row<QueryRecorder>, 15> kRecorderRows{{
    {"path", Files<QueryRecorder>{"path", read_path<QueryRecorder, &QueryRecorder::path>}, "none",
     "",
     "SQLite database with the history of queries\nThe daemon creates it. `steerctl history` reads "
     "it. Put it into `/var/lib/steerdns`, which the daemon's user can write to."},
    {"retention_days", &QueryRecorder::retention_days, "7", "1..3650",
     "days after which rows are removed from the database"},
    {"max_size", Own<QueryRecorder>{"size", read_size<QueryRecorder, std::uint64_t{16} << 20>},
     "1GiB", "16MiB..4096GiB",
     "size of the database at which its oldest rows are removed\nOne query takes about 100 bytes."},
    {"queue_size", &QueryRecorder::queue_size, "131072", "1..4194304",
     "maximum rows that wait for the database; further ones are dropped and counted"},
    {"batch_size", &QueryRecorder::batch_size, "20000", "1..1000000",
     "maximum rows of one transaction"},
    {"flush_interval_ms", &QueryRecorder::flush_interval_ms, "200", "1..60000",
     "longest time until queries are written, in milliseconds"},
    {"json", Own<QueryRecorder>{"map", read_json<&QueryRecorder::json>}, "none", "",
     "a file of JSON lines, see below; or only its path"},
    {"hit_log", Own<QueryRecorder>{"map", read_json<&QueryRecorder::hit_log>}, "none", "",
     "a file of JSON lines about the blocks of lists with `hit_log: true`; or only its path\nA map "
     "has the keys of `json`. It has no samples: `one_in` must be 1. See "
     "[query-log.md](../guides/query-log.md#keep-what-a-list-blocked)."},
    {"dnstap", Own<QueryRecorder>{"map", read_tap}, "none", "",
     "a receiver of dnstap messages, see below; or only its address\nEach query is a CLIENT_QUERY "
     "and a CLIENT_RESPONSE."},
    {"one_in", &QueryRecorder::one_in, "1", "1..1000000",
     "sampling: one of this number of queries is recorded\nA recorded query then stands for that "
     "number in all sums."},
    {"mask4", &QueryRecorder::mask4, "32", "0..32",
     "prefix length that is kept of an IPv4 client's address, such as 24\nThe other bits become 0 "
     "before anything is stored or sent. Of EDNS, cookies and client subnets become 0 as well."},
    {"mask6", &QueryRecorder::mask6, "128", "0..128", "the same for IPv6, such as 56"},
    {"except_clients", Own<QueryRecorder>{"list of prefixes", read_except}, "none", "",
     "clients whose queries are not recorded, as in `[192.0.2.7, 2001:db8:1::/48]`"},
    {"include_marks",
     Own<QueryRecorder>{"list of integers", read_marks<&QueryRecorder::include_marks>}, "none",
     "0..4294967295",
     "record only queries with one of these marks\nRules set them (`exec: mark N`). The marks "
     "count "
     "that a query has at its end, so a rule behind the recorder may decide. A query that ran no "
     "rule has none."},
    {"exclude_marks",
     Own<QueryRecorder>{"list of integers", read_marks<&QueryRecorder::exclude_marks>}, "none",
     "0..4294967295",
     "do not record queries that have one of these marks, whatever `include_marks` says\nLive "
     "queries (`subscribe`) omit them, too."},
}};

// Its files, with the settings that name them.
std::vector<std::pair<std::string_view, std::string>> files_of(const QueryRecorder& recorder) {
    std::vector<std::pair<std::string_view, std::string>> out;
    if (!recorder.path.empty()) out.emplace_back("path", recorder.path);
    if (recorder.json) out.emplace_back("json", recorder.json->file);
    if (recorder.hit_log) out.emplace_back("hit_log", recorder.hit_log->file);
    return out;
}

// A file has one writer.
void check_files(Reading& in, const Plugin& plugin, const QueryRecorder& args) {
    const std::string owner = owner_of(plugin);
    const auto files = files_of(args);
    for (std::size_t i = 0; i < files.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (files[i].second != files[j].second) continue;
            in.report().error(plugin.line, "'" + std::string(files[j].first) + "' and '" +
                                               std::string(files[i].first) + "' of " + owner +
                                               " are the same file: use two files");
        }
    }
    for (const Plugin& other : in.settings().plugins) {
        const auto* const theirs = std::get_if<QueryRecorder>(&other.args);
        if (theirs == nullptr || &other == &plugin) continue;
        for (const auto& [key, file] : files_of(*theirs)) {
            const auto same =
                std::ranges::find(files, file, [](const auto& f) { return f.second; });
            if (same == files.end()) continue;
            in.report().error(plugin.line, owner + " writes to a file of " + owner_of(other) +
                                               " (" + matchers::quoted_path(file) +
                                               "): use another file");
            break;
        }
    }
}

void read_recorder(Reading& in, const Node* node, Plugin& plugin) {
    QueryRecorder args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    const std::string owner = owner_of(plugin);
    constexpr std::array kDestinations{"path", "json", "hit_log", "dnstap"};
    const bool has_any = std::ranges::any_of(
        kDestinations, [&](const char* key) { return map.find(key) != nullptr; });
    if (read_rows(in, map, kRecorderRows, owner, args) && !has_any) {
        in.report().error(plugin.line, owner +
                                           " has no destination: write 'path' (a database), "
                                           "'json' (a file), 'hit_log' (a file) or 'dnstap'");
    }
    if (args.hit_log && args.one_in > 1)
        in.report().error(
            plugin.line, "'hit_log' of " + owner + " needs every query, but 'one_in' is " +
                             std::to_string(args.one_in) + ": give it a query_recorder of its own");
    check_files(in, plugin, args);
    plugin.args = std::move(args);
}

}  // namespace

const PluginType kQueryRecorderType{
    "query_recorder",
    Role::executor,
    "Records queries and their answers: in a database, as JSON lines, or by dnstap. It records all "
    "queries of the servers whose executor runs it, at any place of a sequence. See "
    "[query-log.md](../guides/query-log.md).",
    "",
    "",
    [] { return row_texts(kRecorderRows); },
    read_recorder,
    nullptr,
    {.reference = [](std::ostream& out) {
        write_part(out, "json", row_texts(kJsonRows));
        write_part(out, "dnstap", row_texts(kTapRows));
    }}};

}  // namespace steer::config
