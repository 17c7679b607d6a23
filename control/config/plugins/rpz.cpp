// rpz: response policy zones.
#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "control/config/lists/list_source.h"
#include "control/config/plugin_type.h"
#include "control/config/plugins/block_terms.h"
#include "control/config/reference.h"
#include "control/config/text/dns_names.h"
#include "control/config/text/rdata_text.h"
#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "matchers/list/list_lines.h"
#include "matchers/list/rpz_zone.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct PolicyZoneArgs {
    std::string source, name;
    bool lenient = false;
    bool ready = true;
    BlockTerms terms;
    int line = 0;
};
struct RpzArgs {
    std::vector<PolicyZoneArgs> zones;
    bool log = false;
};

void read_policy_source(Reading& in, const Node& node, const Place& place, PolicyZoneArgs& out) {
    read_value(in, node, place, {}, out.source);
    out.line = place.line;
}

constexpr std::array<Row<PolicyZoneArgs>, 4> kOwnZoneRows{{
    {"zone", Files<PolicyZoneArgs>{"path, URL or `$TAG`", read_policy_source}, "required", "",
     "zone file of the response policy zone, a path or URL, or the tag of a `secondary`"},
    {"name", &PolicyZoneArgs::name, "(from its SOA, else its first $ORIGIN)", "",
     "name of the zone, below which its triggers are written"},
    {"lenient", &PolicyZoneArgs::lenient, "false", "",
     "skip records that cannot be applied, with one warning; by default each is an error"},
    list_ready_row<PolicyZoneArgs>(),
}};
constexpr auto kPolicyZoneRows = joined(
    kOwnZoneRows,
    block_terms_rows<PolicyZoneArgs>(
        "the law requires this zone: no rule (`control.rules`) and no exception of another zone "
        "ends it\nLegal zones come before the others. Their answers have the EDE code Censored "
        "(16) in place of Blocked (15)."));

void read_policy_zones(Reading& in, const Node& node, const Place& place, RpzArgs& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() + ": expected a list of paths, URLs and maps, found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    for (const Node& item : node.items) {
        PolicyZoneArgs zone;
        if (item.is_text()) {
            zone.source = item.text;
            zone.line = item.line;
        } else {
            const std::string owner = "'zones' of " + std::string(place.owner);
            read_rows(in, item, kPolicyZoneRows, owner, zone);
            check_terms(in, zone.line, owner, zone.terms);
        }
        if (!zone.source.empty()) out.zones.push_back(std::move(zone));
    }
}

constexpr std::array<Row<RpzArgs>, 2> kRpzRows{{
    {"zones", Files<RpzArgs>{"list of paths, URLs and maps", read_policy_zones}, "required", "",
     "zones in order of precedence, as paths, URLs, `$TAG` or maps\nExamples: `- "
     "/etc/steerdns/block.rpz`, `- $feed` for the zone of a `secondary`, "
     "`- {zone: https://feed.example/rpz, lenient: true}`. URLs are fetched as set in "
     "`control.fetch`; the last good copy is kept. For maps see below. "
     "Records of a `secondary` that cannot be applied are always skipped, and reported by "
     "`steerctl zones`."},
    {"log", &RpzArgs::log, "false", "",
     "log each match: zone, trigger, action, client and question\nAt most 500 lines a worker in "
     "100 ms; the counter `notes_dropped` has the others."},
}};

class PolicyZoneReader {
  public:
    PolicyZoneReader(Reading& in, const PolicyZoneArgs& args, const Plugin& plugin)
        : in_(in), args_(args), owner_(owner_of(plugin)), place_{"zones", owner_, args.line} {}

    RpzZone read() {
        zone_.source = args_.source;
        ListUse use{kRpzType.name, {}, args_.lenient ? "true" : "", {}, 0};
        use.ready = args_.ready;
        if (!args_.name.empty()) use.selectors.push_back(args_.name);
        if (is_secondary(args_.source)) {
            zone_.secondary =
                in_.refer(std::string_view(args_.source).substr(1), Wanted::secondary, args_.line);
            return std::move(zone_);
        }
        const auto source = read_list_source(in_, {args_.source, args_.line}, place_, use);
        if (!source) return std::move(zone_);
        file_ = in_.file_number(source->file);
        std::string name = args_.name;
        if (name.ends_with('.')) name.pop_back();
        auto bad = matchers::read_rpz_zone(
            source->bytes, source->file, name,
            [this](const matchers::RpzRecord& record) { take(record); }, &zone_.version.serial);
        note_version(source->bytes);
        for (auto& [error, line] : refused_)
            bad.add(std::move(error), line);
        say(bad, source->file);
        actions_.clear();
        return std::move(zone_);
    }

  private:
    static constexpr matchers::NameForm kZoneName{
        .any_escape = true, .stars = true, .printable = true, .alone = true, .numbers = true};
    using Key = std::tuple<matchers::RpzRecord::Trigger, std::string, IpAddress, unsigned, bool>;

    void note_version(std::string_view bytes) {
        if (args_.terms.hit_log) zone_.version.sha256 = sha256_of(bytes);
        matchers::ListLinesBuilder lines(true), exceptions(true);
        for (const RuleAt& at : zone_.names) {
            const bool allows = zone_.actions[at.value].does == RpzAction::Does::passthru;
            (allows ? exceptions : lines).add(at.rule, at.line);
        }
        zone_.version.lines = std::move(lines).build();
        zone_.version.exceptions = std::move(exceptions).build();
    }

    void refuse(const matchers::RpzRecord& record, std::string text) {
        refused_.emplace_back(Error{std::move(text)}, record.line);
    }

    void take(const matchers::RpzRecord& record) {
        if (record.trigger == matchers::RpzRecord::Trigger::ns_name ||
            record.trigger == matchers::RpzRecord::Trigger::ns_address)
            return refuse(record,
                          "name server triggers (rpz-nsdname, rpz-nsip) are not supported: remove "
                          "the record, or write 'lenient: true' beside the zone");
        RpzAction action{does_of(record.action), record.ttl_s, {}, {}};
        if (action.does == RpzAction::Does::alias || action.does == RpzAction::Does::alias_below) {
            const auto name = matchers::parse_name(record.target, kZoneName);
            if (!name)
                return refuse(record, matchers::quoted(record.target) +
                                          " is not a domain name: " + name.error().text);
            action.target = *dns::name_from_text(*name);
        }
        if (action.does == RpzAction::Does::records && !add_data(record, action)) return;
        if (record.is_of_name() && !record.name.empty()) {
            auto name = matchers::parse_name(record.name, kZoneName);
            if (!name)
                return refuse(record, matchers::quoted(record.name) +
                                          " is not a domain name: " + name.error().text);
            const bool is_below = record.trigger == matchers::RpzRecord::Trigger::below;
            add(record,
                {is_below ? matchers::RuleKind::domain : matchers::RuleKind::full,
                 *std::move(name)},
                std::move(action));
        } else {
            add(record, {}, std::move(action));
        }
    }

    bool add_data(const matchers::RpzRecord& record, RpzAction& action) {
        const auto type = parse_qtype(record.type);
        if (!type || *type == 0 || *type == dns::kOpt || (*type >= 249 && *type <= 255)) {
            refuse(record,
                   matchers::quoted(record.type) +
                       " is not a record type: expected one such as 'A 192.0.2.1' or 'CNAME .'");
            return false;
        }
        auto rdata = rdata_of(*type, record.data, std::string(record.origin));
        if (!rdata) {
            refuse(record, rdata.error().text);
            return false;
        }
        action.records.push_back({*type, dns::kIn, record.ttl_s, *std::move(rdata)});
        return true;
    }

    // Records of one owner are one action; a CNAME stands alone.
    void add(const matchers::RpzRecord& record, matchers::Rule rule, RpzAction action) {
        const Key key{record.trigger, record.name, record.prefix.address, record.prefix.length,
                      record.is_v4};
        const auto known = at_.find(key);
        if (known != at_.end()) {
            RpzAction& there = zone_.actions[known->second];
            const bool are_records =
                there.does == RpzAction::Does::records && action.does == RpzAction::Does::records;
            if (are_records) {
                there.records.push_back(std::move(action.records.front()));
            } else if (!(there == action)) {
                refuse(
                    record,
                    matchers::quoted(record.owner) +
                        " has another action already: a CNAME must be the only record of its name");
            }
            return;
        }
        const std::uint32_t number = number_of(std::move(action));
        switch (record.trigger) {
            case matchers::RpzRecord::Trigger::name:
            case matchers::RpzRecord::Trigger::below:
                if (record.name.empty()) {
                    zone_.all = number;
                } else {
                    zone_.names.push_back({std::move(rule), file_, record.line, number});
                }
                break;
            case matchers::RpzRecord::Trigger::client:
                zone_.clients.push_back({record.prefix, record.is_v4, number});
                break;
            case matchers::RpzRecord::Trigger::address:
                zone_.addresses.push_back({record.prefix, record.is_v4, number});
                break;
            case matchers::RpzRecord::Trigger::ns_name:
            case matchers::RpzRecord::Trigger::ns_address:
                break;  // refused above
        }
        at_.emplace(key, number);
    }

    // Actions without records are shared by all triggers that ask for them.
    std::uint32_t number_of(RpzAction action) {
        const auto next = static_cast<std::uint32_t>(zone_.actions.size());
        if (action.does != RpzAction::Does::records) {
            const auto [at, fresh] =
                actions_.try_emplace({action.does, action.ttl_s, action.target}, next);
            if (!fresh) return at->second;
        }
        zone_.actions.push_back(std::move(action));
        return next;
    }

    static RpzAction::Does does_of(matchers::RpzRecord::Action action) {
        using Action = matchers::RpzRecord::Action;
        switch (action) {
            case Action::nxdomain:
                return RpzAction::Does::nxdomain;
            case Action::nodata:
                return RpzAction::Does::nodata;
            case Action::passthru:
                return RpzAction::Does::passthru;
            case Action::drop:
                return RpzAction::Does::drop;
            case Action::tcp_only:
                return RpzAction::Does::tcp_only;
            case Action::alias:
                return RpzAction::Does::alias;
            case Action::alias_below:
                return RpzAction::Does::alias_below;
            case Action::data:
                return RpzAction::Does::records;
        }
        return RpzAction::Does::nxdomain;
    }

    // A skipped record lets through a query that the zone's owner wants to block.
    void say(const matchers::BadLines& bad, const std::string& file) {
        const auto errors = bad.errors();
        if (!args_.lenient) {
            for (const Error& error : errors)
                in_.report().error_in(error.file, error.line, error.text);
        } else if (bad.count() > 0) {
            in_.report().warn_in(
                file, errors.front().line,
                (bad.count() == 1 ? "1 record of this zone is"
                                  : std::to_string(bad.count()) + " records of this zone are") +
                    std::string(" skipped ('lenient: true'), the first: ") + errors.front().text);
        }
        if (zone_.rules() > 0) return;
        if (bad.count() > 0) {
            in_.report().error(args_.line, "no record of the zone " + matchers::quoted_path(file) +
                                               " in " + place_.name() +
                                               " can be applied: is it a response policy zone?");
        } else {
            in_.report().warn(args_.line, "the zone " + matchers::quoted_path(file) + " in " +
                                              place_.name() + " has no trigger");
        }
    }

    Reading& in_;
    const PolicyZoneArgs& args_;
    std::string owner_;
    Place place_;
    RpzZone zone_;
    std::uint32_t file_ = 0;
    std::map<Key, std::uint32_t> at_;  // the action of a trigger
    std::map<std::tuple<RpzAction::Does, std::uint32_t, std::vector<std::uint8_t>>, std::uint32_t>
        actions_;
    std::vector<std::pair<Error, int>> refused_;
};

void read_rpz(Reading& in, const Node* node, Plugin& plugin) {
    RpzArgs args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kRpzRows, owner_of(plugin), args);
    Rpz out;
    out.logs = args.log;
    for (const PolicyZoneArgs& zone : args.zones) {
        out.zones.push_back(PolicyZoneReader(in, zone, plugin).read());
        out.zones.back().terms = zone.terms;
    }
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kRpzType{
    "rpz",
    Role::executor,
    "Applies response policy zones (draft-vixie-dnsop-dns-rpz). It wraps the rest of its sequence, "
    "because it also inspects the answer. Place it before the cache.\n\nTriggers: names (with "
    "wildcards, and including CNAME targets in the answer), the client's address (rpz-client-ip) "
    "and addresses in the answer (rpz-ip). Actions: NXDOMAIN, NODATA, PASSTHRU, DROP, TCP-Only, "
    "local records, and another name.",
    "",
    "",
    [] { return row_texts(kRpzRows); },
    read_rpz,
    nullptr,
    {.reference = [](std::ostream& out) { write_part(out, "zones", row_texts(kPolicyZoneRows)); }}};

}  // namespace steer::config
