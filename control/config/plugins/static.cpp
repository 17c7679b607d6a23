// static: records like those of RouterOS's /ip/dns/static.
#include <algorithm>
#include <map>
#include <set>

#include "control/config/lists/rules.h"
#include "control/config/lists/runtime_records.h"
#include "control/config/plugin_type.h"
#include "control/config/plugins/name_rules.h"
#include "control/config/plugins/tag_or_args.h"
#include "control/config/reference.h"
#include "control/config/text/dns_names.h"
#include "control/config/text/rdata_text.h"
#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

enum class Kind : std::uint8_t { a, aaaa, cname, fwd, mx, ns, nxdomain, srv, txt };
constexpr std::string_view kRecordTypes = "A|AAAA|CNAME|FWD|MX|NS|NXDOMAIN|SRV|TXT";

// One record as written. Keys of other types are errors.
struct Record {
    std::string name, regexp;
    std::optional<Kind> kind;
    std::string address, cname, forward_to, mx_exchange, ns, srv_target, text, address_list;
    std::uint32_t mx_preference = 0, srv_port = 0, srv_priority = 0, srv_weight = 0;
    Milliseconds ttl{86'400'000};
    bool match_subdomain = false, disabled = false;
    std::string comment;
};

void read_kind(Reading& in, const Node& node, const Place& place, Record& out) {
    constexpr std::array<std::string_view, 9> kNames{"a",  "aaaa",     "cname", "fwd", "mx",
                                                     "ns", "nxdomain", "srv",   "txt"};
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    const auto at = std::ranges::find(kNames, lowered(text));
    if (at != kNames.end()) {
        out.kind = static_cast<Kind>(at - kNames.begin());
    } else {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                          ": expected one of A, AAAA, CNAME, FWD, MX, NS, "
                                          "NXDOMAIN, SRV, TXT");
    }
}

constexpr std::array<Row<Record>, 19> kRecordRows{{
    {"name", &Record::name, "none", "", "name of the record; or use `regexp`"},
    {"regexp", &Record::regexp, "none", "", "regular expression that names are searched with"},
    {"type", Own<Record>{"one of", read_kind}, "(`A`; with an IPv6 address `AAAA`)", kRecordTypes,
     "record type\n`FWD` forwards the query to `forward_to`. `NXDOMAIN` answers that the name does "
     "not exist."},
    {"address", &Record::address, "none", "", "A and AAAA: address"},
    {"cname", &Record::cname, "none", "", "CNAME: target of the alias; it is followed"},
    {"forward_to", &Record::forward_to, "(the rest of the sequence)", "",
     "FWD: tag of a `forward`, or an address"},
    {"mx_exchange", &Record::mx_exchange, "none", "", "MX: name of the mail server"},
    {"mx_preference", &Record::mx_preference, "0", "0..65535",
     "MX: preference; the lowest value is tried first"},
    {"ns", &Record::ns, "none", "", "NS: name of the name server"},
    {"srv_port", &Record::srv_port, "0", "0..65535", "SRV: port of the service"},
    {"srv_priority", &Record::srv_priority, "0", "0..65535",
     "SRV: priority; the lowest value is tried first"},
    {"srv_weight", &Record::srv_weight, "0", "0..65535",
     "SRV: weight among targets of equal priority"},
    {"srv_target", &Record::srv_target, "none", "", "SRV: name of the host"},
    {"text", &Record::text, "none", "",
     "TXT: text; longer than 255 bytes it becomes several strings"},
    {"ttl", &Record::ttl, "1d", "0s..3650d", "TTL of the record"},
    {"match_subdomain", &Record::match_subdomain, "false", "", "also match all names below"},
    {"address_list", &Record::address_list, "none", "",
     "tag of the ros_address_list, ipset, nftset or bgp_route that receives the addresses"},
    {"disabled", &Record::disabled, "false", "", "ignore this record"},
    {"comment", &Record::comment, "none", "", "note for people; not used"},
}};

struct StaticArgs {
    const Node* records = nullptr;
    bool ptr = true;
    TagOrArgs cache;
};
void keep_records(Reading& in, const Node& node, const Place& place, StaticArgs& out) {
    if (node.is_list()) {
        out.records = &node;
    } else {
        in.report().error(place.line, place.name() + ": expected a list of records, found " +
                                          std::string(node.what()));
    }
}
constexpr std::array<Row<StaticArgs>, 3> kStaticRows{{
    {"records", Own<StaticArgs>{"list of records", keep_records}, "none", "",
     "records, as in `- {name: nas.lan, address: 192.168.88.10}`; see below"},
    {"ptr", &StaticArgs::ptr, "true", "",
     "also answer PTR queries for the addresses of A and AAAA records, like RouterOS"},
    {"cache",
     Own<StaticArgs>{"tag, or arguments of a `cache`", keep_node<&StaticArgs::cache, StaticArgs>},
     "none", "",
     "cache for the answers of FWD records, as in `cache: $answers`\nIt may be the cache that the "
     "rest of the sequence uses."},
}};

class StaticReader {
  public:
    // `known`: entries that are there already.
    StaticReader(Reading& in, const Plugin& plugin, std::vector<StaticEntry> known = {})
        : in_(in), plugin_(plugin) {
        out_.entries = std::move(known);
    }

    // Records of the file of runtime records, or of the configuration.
    void read(const Node& records, bool are_runtime) {
        std::size_t number = 0;
        for (const Node& node : records.items) {
            owner_ = std::string(are_runtime ? "runtime record " : "record ") +
                     std::to_string(++number) + " of " + owner_of(plugin_);
            out_.written.push_back({fields_of(node), node.line, are_runtime});
            read_one(node, false);
        }
    }

    // A record that is not in force yet. Reports why it cannot be added.
    void try_one(const Node& node) {
        owner_ = "the record";
        const std::size_t before = out_.entries.size();
        read_one(node, true);
        if (out_.entries.size() == before) return;
        const auto end = out_.entries.end() - 1;
        if (std::any_of(out_.entries.begin(), end,
                        [&](const StaticEntry& e) { return is_same(e, *end); }))
            refuse("exists already in " + owner_of(plugin_) + ": 'steerctl static print' shows it");
        follow_aliases();
    }

    // Regexps come first, as in RouterOS, then the other records in their order, then PTR records of addresses.
    StaticRecords finish(bool with_ptr) {
        std::stable_partition(out_.entries.begin(), out_.entries.end(), [](const StaticEntry& e) {
            return e.owner.rule.kind == matchers::RuleKind::regexp;
        });
        follow_aliases();
        if (with_ptr) add_pointers();
        return std::move(out_);
    }

  private:
    void read_one(const Node& node, bool even_disabled) {
        line_ = node.line;
        Record record;
        const std::size_t before = in_.report().error_count();
        if (!read_rows(in_, node, kRecordRows, owner_, record)) return;
        const bool is_wanted = even_disabled || !record.disabled;
        if (in_.report().error_count() == before && is_wanted) add(node, record);
    }

    static RecordFields fields_of(const Node& node) {
        RecordFields out;
        for (const Entry& entry : node.entries)
            out.emplace_back(entry.key, entry.value.text);
        return out;
    }

    // Whether RouterOS would say that the entry exists already. A second FWD or NXDOMAIN never has an effect.
    static bool is_same(const StaticEntry& a, const StaticEntry& b) {
        const bool has_data =
            a.does == StaticEntry::Does::record || a.does == StaticEntry::Does::alias;
        return a.owner.rule.kind == b.owner.rule.kind && a.owner.rule.text == b.owner.rule.text &&
               a.does == b.does &&
               (!has_data || (a.record.type == b.record.type && a.record.rdata == b.record.rdata));
    }

    bool refuse(const std::string& why) {
        in_.report().error(line_, owner_ + " " + why);
        return false;
    }

    [[nodiscard]] static Kind kind_of(const Record& r) {
        if (r.kind) return *r.kind;
        const auto address = IpAddress::parse(r.address);
        return address && !address->is_v4() ? Kind::aaaa : Kind::a;
    }

    bool keys_fit(const Node& node, Kind kind) {
        static const std::map<std::string_view, std::vector<Kind>> kKindsOfKey{
            {"address", {Kind::a, Kind::aaaa}},
            {"cname", {Kind::cname}},
            {"forward_to", {Kind::fwd}},
            {"mx_exchange", {Kind::mx}},
            {"mx_preference", {Kind::mx}},
            {"ns", {Kind::ns}},
            {"srv_port", {Kind::srv}},
            {"srv_priority", {Kind::srv}},
            {"srv_weight", {Kind::srv}},
            {"srv_target", {Kind::srv}},
            {"text", {Kind::txt}}};
        for (const Entry& entry : node.entries) {
            const auto at = kKindsOfKey.find(entry.key);
            if (at == kKindsOfKey.end() || std::ranges::find(at->second, kind) != at->second.end())
                continue;
            return refuse("has '" + entry.key +
                          "', which records of its type do not have: remove it, or correct "
                          "'type'");
        }
        return true;
    }

    bool take_owner(const Record& r, StaticEntry& out) {
        if (r.name.empty() == r.regexp.empty())
            return refuse(r.name.empty() ? "has neither 'name' nor 'regexp': write one"
                                         : "has both 'name' and 'regexp': keep one");
        if (!r.regexp.empty()) {
            auto rule = good_rule("regexp:" + r.regexp);
            if (!rule) return refuse("has an invalid name: " + rule.error().text);
            out.owner = {*std::move(rule), 0, line_};
            return true;
        }
        auto name = matchers::parse_name(r.name, {.alone = true});
        if (!name)
            return refuse("has an invalid name: " + name.error().text +
                          (r.name.starts_with("*.") ? ", with 'match_subdomain: true'" : ""));
        const auto kind = r.match_subdomain ? matchers::RuleKind::domain : matchers::RuleKind::full;
        out.owner = {{kind, *std::move(name)}, 0, line_};
        return true;
    }

    bool take_data(const Record& r, Kind kind, StaticEntry& out) {
        const auto number = [](std::uint32_t n) { return std::to_string(n); };
        switch (kind) {
            case Kind::a:
            case Kind::aaaa: {
                const auto address = IpAddress::parse(r.address);
                // Users of RouterOS write ::ffff to give a name an unusable address.
                const bool fits = address && (kind == Kind::a ? address->is_v4() : true);
                if (!fits || (kind == Kind::aaaa && r.address.find(':') == std::string::npos))
                    return refuse("has " +
                                  (r.address.empty()
                                       ? std::string("no 'address'")
                                       : "the address " + matchers::quoted(r.address)) +
                                  ": expected an IPv" + (kind == Kind::a ? "4" : "6") + " address");
                return record(kind == Kind::a ? 1 : 28, {r.address}, "address", out);
            }
            case Kind::cname:
                out.does = StaticEntry::Does::alias;
                return record(5, {r.cname}, "cname", out) && take_target(r, out);
            case Kind::mx:
                return record(15, {number(r.mx_preference), r.mx_exchange}, "mx_exchange", out);
            case Kind::ns:
                return record(2, {r.ns}, "ns", out);
            case Kind::srv:
                return record(33,
                              {number(r.srv_priority), number(r.srv_weight), number(r.srv_port),
                               r.srv_target},
                              "srv_target", out);
            case Kind::txt:
                return text_record(r.text, out);
            case Kind::fwd:
                out.does = StaticEntry::Does::forward;
                return take_forwarder(r, out);
            case Kind::nxdomain:
                out.does = StaticEntry::Does::nxdomain;
                return true;
        }
        return false;
    }

    bool record(std::uint16_t type, std::vector<std::string> words, std::string_view key,
                StaticEntry& out) {
        if (words.empty() || words.back().empty())
            return refuse("has no '" + std::string(key) + "': add it");
        const bool is_name = type != dns::kA && type != dns::kAaaa && words.back() != ".";
        if (is_name) {
            auto name = matchers::parse_name(words.back(), {.alone = true});
            if (!name)
                return refuse("has an invalid name in '" + std::string(key) +
                              "': " + name.error().text);
            words.back() = *std::move(name);
        }
        std::vector<ZoneWord> zone;
        zone.reserve(words.size());
        for (std::string& word : words)
            zone.push_back({std::move(word), false});
        auto rdata = rdata_of(type, zone, {});
        if (!rdata)
            return refuse("has invalid data in '" + std::string(key) + "': " + rdata.error().text);
        out.record.type = type;
        out.record.rdata = *std::move(rdata);
        return true;
    }

    // The bytes as written: unlike in a zone file, no byte is an escape.
    bool text_record(std::string_view text, StaticEntry& out) {
        constexpr std::size_t kMaxStringBytes = 255;  // of a <character-string>
        if (text.empty()) return refuse("has no 'text': add it");
        out.record.type = dns::kTxt;
        for (; !text.empty(); text.remove_prefix(std::min(text.size(), kMaxStringBytes))) {
            const std::string_view part = text.substr(0, kMaxStringBytes);
            out.record.rdata.push_back(static_cast<std::uint8_t>(part.size()));
            out.record.rdata.insert(out.record.rdata.end(), part.begin(), part.end());
        }
        if (out.record.rdata.size() > kMaxRdataBytes)
            return refuse("has a 'text' that is longer than a DNS message");
        return true;
    }

    bool take_target(const Record& r, StaticEntry& out) {
        const auto name = matchers::parse_name(r.cname, {.alone = true});
        if (!name) return refuse("has an invalid name in 'cname': " + name.error().text);
        out.target = *dns::name_from_text(*name);
        return true;
    }

    bool take_forwarder(const Record& r, StaticEntry& out) {
        if (r.forward_to.empty()) return true;
        const std::string tag = r.forward_to.substr(r.forward_to.starts_with('$') ? 1 : 0);
        if (const auto* known = in_.find_tag(tag)) {
            if (known->type != "forward")
                return refuse("forwards to '" + tag + "', which is a " + known->type +
                              ": expected a forward or an address");
            out.forwarder = in_.refer(tag, Wanted::executor, line_);
            return out.forwarder.has_value();
        }
        const auto server = parse_host_port(r.forward_to, Zones::allowed);
        if (!server || !server->address)
            return refuse("forwards to " + matchers::quoted(r.forward_to) +
                          ": expected the tag of a forward, or an address");
        const auto [at, fresh] = forwarders_.try_emplace(r.forward_to, 0);
        if (fresh) {
            Plugin forward;
            const PluginType* const type = find_type("forward");
            forward.tag = plugin_.tag + ".forward_to";
            forward.type = type->name;
            forward.role = type->role;
            forward.line = line_;
            type->read_quick(in_, r.forward_to, line_, forward);
            at->second = in_.add_in_place(std::move(forward));
        }
        out.forwarder = at->second;
        return true;
    }

    bool take_list(const Record& r, StaticEntry& out) {
        if (r.address_list.empty()) return true;
        const std::string tag = r.address_list.substr(r.address_list.starts_with('$') ? 1 : 0);
        const auto* const known = in_.find_tag(tag);
        const PluginType* const type = known == nullptr ? nullptr : find_type(known->type);
        const Sink sink = type == nullptr ? Sink::none : type->extras.sink;
        if (sink != Sink::router && sink != Sink::kernel)
            return refuse("has the unknown address_list " + matchers::quoted(r.address_list) +
                          ": expected the tag of a " + names_of(Sink::router) +
                          ", ipset, nftset or bgp_route");
        out.list = in_.refer(tag, Wanted::executor, line_);
        return out.list.has_value();
    }

    void add(const Node& node, const Record& r) {
        const Kind kind = kind_of(r);
        StaticEntry entry;
        entry.line = line_;
        entry.record.klass = 1;
        entry.record.ttl_s = static_cast<std::uint32_t>(r.ttl.count() / 1000);
        if (keys_fit(node, kind) && take_owner(r, entry) && take_data(r, kind, entry) &&
            take_list(r, entry))
            out_.entries.push_back(std::move(entry));
    }

    // An alias of an alias gets the final target, so that a query follows one alias.
    void follow_aliases() {
        const std::size_t before = in_.report().error_count();
        std::map<std::string, const StaticEntry*> aliases;
        for (const StaticEntry& e : out_.entries) {
            if (e.does == StaticEntry::Does::alias && e.owner.rule.kind == matchers::RuleKind::full)
                aliases.try_emplace(e.owner.rule.text, &e);
        }
        std::vector<std::vector<std::uint8_t>> targets;
        for (const StaticEntry& e : out_.entries) {
            std::set<std::string> seen{e.owner.rule.text};
            const StaticEntry* last = &e;
            while (last->does == StaticEntry::Does::alias) {
                const std::string next = dns::name_to_text(last->target);
                if (!seen.insert(next).second) {
                    in_.report().error(e.line, "the CNAME records of " + owner_of(plugin_) +
                                                   " form a loop through '" + e.owner.rule.text +
                                                   "': replace one of them");
                    break;
                }
                const auto at = aliases.find(next);
                if (at == aliases.end()) break;
                last = at->second;
            }
            targets.push_back(last->target);
        }
        for (std::size_t i = 0; i < targets.size(); ++i)
            out_.entries[i].target = targets[i];
        if (in_.report().error_count() == before) refuse_loops();
    }

    // Aliases that hold the names below theirs. Only sure ones: a regexp may hold the target, and is asked first.
    void refuse_loops() {
        using matchers::RuleKind;
        std::map<std::string_view, std::size_t> exact, below;  // the first entry of each owner
        for (std::size_t i = 0; i < out_.entries.size(); ++i) {
            const matchers::Rule& owner = out_.entries[i].owner.rule;
            if (owner.kind == RuleKind::regexp) return;
            (owner.kind == RuleKind::full ? exact : below).try_emplace(owner.text, i);
        }
        if (below.empty()) return;
        const auto holder_of = [&](std::string_view name) {
            std::size_t first = out_.entries.size();
            if (const auto at = exact.find(name); at != exact.end()) first = at->second;
            for (std::string_view rest = name; !rest.empty();) {
                if (const auto at = below.find(rest); at != below.end())
                    first = std::min(first, at->second);
                const auto dot = rest.find('.');
                rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
            }
            return first;
        };
        for (std::size_t i = 0; i < out_.entries.size(); ++i) {
            std::set<std::size_t> seen;
            std::size_t at = i;
            while (at < out_.entries.size() && out_.entries[at].does == StaticEntry::Does::alias &&
                   seen.insert(at).second)
                at = holder_of(dns::name_to_text(out_.entries[at].target));
            if (at != i || !seen.contains(i)) continue;
            const StaticEntry& entry = out_.entries[i];
            const std::string target = dns::name_to_text(entry.target);
            in_.report().error(entry.line, "the CNAME records of " + owner_of(plugin_) +
                                               " form a loop through '" + entry.owner.rule.text +
                                               "': write a target that none of them holds, or a "
                                               "record for '" +
                                               target + "' before them");
        }
    }

    void add_pointers() {
        std::vector<StaticEntry> pointers;
        for (const StaticEntry& e : out_.entries) {
            const bool has_address = e.does == StaticEntry::Does::record &&
                                     (e.record.type == dns::kA || e.record.type == dns::kAaaa);
            if (!has_address || e.owner.rule.kind != matchers::RuleKind::full) continue;
            const auto name = dns::name_from_text(e.owner.rule.text);
            StaticEntry p;
            p.line = e.line;
            p.owner = {{matchers::RuleKind::full, e.record.type == dns::kA
                                                      ? pointer_name_v4(e.record.rdata)
                                                      : pointer_name_v6(e.record.rdata)},
                       0,
                       e.line};
            p.record = {dns::kPtr, dns::kIn, e.record.ttl_s, *name};
            pointers.push_back(std::move(p));
        }
        out_.entries.insert(out_.entries.end(), pointers.begin(), pointers.end());
    }

    Reading& in_;
    const Plugin& plugin_;
    std::string owner_;
    int line_ = 0;
    StaticRecords out_;
    std::map<std::string, PluginIndex> forwarders_;
};

void read_static(Reading& in, const Node* node, Plugin& plugin) {
    StaticArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kStaticRows, owner_of(plugin), args);
    StaticReader reader(in, plugin);
    if (const Node* const runtime = runtime_records(in).find(plugin.tag))
        reader.read(*runtime, true);
    if (args.records != nullptr) reader.read(*args.records, false);
    StaticRecords records = reader.finish(args.ptr);
    records.ptr = args.ptr;
    records.cache = use_plugin(in, args.cache, "cache", plugin);
    plugin.args = std::move(records);
}

}  // namespace

Result<void> try_record(const StaticPlugins& plugins, const std::string& tag,
                        const RecordFields& fields) {
    const LoadOptions options;
    Reading in("", options);
    const StaticPlugins::One* to = nullptr;
    for (const auto& one : plugins.tags)
        in.declare(one.tag, {one.index, one.type, one.role, true});
    for (const auto& one : plugins.plugins) {
        if (one.tag == tag) to = &one;
    }
    if (to == nullptr) return Error{"there is no static " + matchers::quoted(tag)};
    Node node;
    node.kind = Node::Kind::map;
    for (const auto& [key, value] : fields) {
        Node text;
        text.kind = Node::Kind::text;
        text.text = value;
        node.entries.push_back({key, 0, std::move(text)});
    }
    Plugin plugin;
    plugin.tag = tag;
    plugin.type = "static";
    auto known = to->records.entries;
    for (StaticEntry& entry : known)
        entry.line = 0;  // its files are unknown to this reading
    StaticReader(in, plugin, std::move(known)).try_one(node);
    if (in.report().error_count() == 0) return {};
    return Error{in.report().take_errors().front().text};
}

const PluginType kStaticType{
    "static",
    Role::executor,
    "Answers from records like those of RouterOS's `/ip dns static`. Regular expressions are "
    "tested first, then names, both in order. The first record with the queried type decides, and "
    "its answer ends the program. `steerctl static` adds and removes records while the daemon "
    "runs. "
    "Those come before the records of the configuration.\n\nIt wraps the rest of its sequence, "
    "which resolves a listed "
    "name that has no record of the queried type. If the name does not exist there, the answer is "
    "NOERROR without records. CNAMEs are followed. FWD passes response codes on unchanged.",
    "",
    "",
    [] { return row_texts(kStaticRows); },
    read_static,
    nullptr,
    {.reference = [](std::ostream& out) { write_part(out, "records[]", row_texts(kRecordRows)); }}};

}  // namespace steer::config
