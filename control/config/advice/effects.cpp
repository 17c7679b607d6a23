#include "control/config/advice/effects.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "control/config/advice/graph.h"
#include "control/config/advice/why.h"

namespace steer::config {
namespace {

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

std::string rcode_text(unsigned rcode) {
    constexpr std::string_view kNames[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                           "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return rcode < std::size(kNames) ? std::string(kNames[rcode]) : "RCODE" + std::to_string(rcode);
}

// "a, b, c and 4 more".
std::string some_of(const std::vector<std::string>& all) {
    constexpr std::size_t kMaxShown = 4;
    std::string out;
    for (std::size_t i = 0; i < std::min(all.size(), kMaxShown); ++i)
        out += (i == 0 ? "" : ", ") + all[i];
    if (all.size() > kMaxShown) out += " and " + std::to_string(all.size() - kMaxShown) + " more";
    return out;
}

class Words {
  public:
    explicit Words(const Settings& settings) : settings_(settings) {}

    std::string of(PluginIndex index) const {
        const Plugin& plugin = settings_.plugin(index);
        return std::visit([&](const auto& args) { return of(args, plugin, index); }, plugin.args);
    }

  private:
    [[nodiscard]] std::string tag(PluginIndex index) const {
        return quoted(settings_.plugin(index).tag);
    }
    [[nodiscard]] std::string routers(const std::vector<RouterIndex>& indices) const {
        std::vector<std::string> names;
        for (const RouterIndex i : indices)
            names.push_back(settings_.routers[i].name);
        return some_of(names);
    }

    [[nodiscard]] std::string of(const Forward& args, const Plugin& /*plugin*/,
                                 PluginIndex /*index*/) const {
        if (args.of_host) return "forward to the servers of the host";
        std::vector<std::string> all;
        for (const UpstreamSettings& upstream : args.upstreams)
            all.push_back(upstream.tag.empty() ? upstream.addr : upstream.tag);
        return "forward to " + some_of(all);
    }
    [[nodiscard]] std::string of(const Cache&, const Plugin& plugin, PluginIndex) const {
        return "answer from cache " + quoted(plugin.tag) + ", or store the answer there";
    }
    [[nodiscard]] std::string of(const RouterRows& args, const Plugin& plugin, PluginIndex) const {
        const RouterRowKind& kind = *args.kind;
        std::string groups;
        if (!kind.shared_group.empty()) {
            const bool v6 = args.group(false).empty();
            groups = std::string(kind.shared_group) + " " + quoted(args.group(v6));
        } else {
            for (const bool v6 : {false, true}) {
                if (args.group(v6).empty()) continue;
                groups += groups.empty() ? "" : ", ";
                groups += (v6 ? "IPv6 " : "IPv4 ") + quoted(args.group(v6));
            }
        }
        return std::string(kind.effect) + " " + quoted(plugin.tag) + " (" + groups + ") on " +
               routers(args.routers);
    }
    [[nodiscard]] std::string of(const KernelSets& args, const Plugin& plugin, PluginIndex) const {
        const KernelSet& set = args.v4 ? *args.v4 : *args.v6;
        if (args.routes)
            return "add BGP routes with community " + quoted(args.routes->community) + " (" +
                   quoted(plugin.tag) + ")";
        return "add to the kernel's set " + quoted(set.name) + " (" + quoted(plugin.tag) + ")";
    }
    [[nodiscard]] std::string of(const OpnsenseAlias& args, const Plugin& plugin,
                                 PluginIndex) const {
        std::vector<std::string> names;
        for (const OpnsenseIndex i : args.routers)
            names.push_back(settings_.opnsense[i].name);
        const std::string& alias = args.alias4.empty() ? args.alias6 : args.alias4;
        const bool two = !args.alias4.empty() && !args.alias6.empty() && args.alias4 != args.alias6;
        return "add to alias " + quoted(alias) + (two ? " and " + quoted(args.alias6) : "") + " (" +
               quoted(plugin.tag) + ") on OPNsense " + some_of(names);
    }
    [[nodiscard]] std::string of(const BlackHole& args, const Plugin&, PluginIndex) const {
        switch (args.mode) {
            case BlackHoleMode::nxdomain:
                return "answer NXDOMAIN";
            case BlackHoleMode::nodata:
                return "answer NODATA";
            case BlackHoleMode::null:
                return "answer 0.0.0.0 and ::";
            case BlackHoleMode::refused:
                return "answer REFUSED";
            case BlackHoleMode::servfail:
                return "answer SERVFAIL";
            case BlackHoleMode::custom:
                break;
        }
        std::vector<std::string> all;
        for (const IpAddress& ip : args.ips)
            all.push_back(ip.to_string());
        return "answer " + some_of(all);
    }
    [[nodiscard]] std::string of(const AdList& args, const Plugin& plugin, PluginIndex i) const {
        return "block by ad list " + quoted(plugin.tag) + ": " + of(args.answer, plugin, i);
    }
    [[nodiscard]] std::string of(const Sequence&, const Plugin& plugin, PluginIndex) const {
        return "run sequence " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const Fallback& args, const Plugin&, PluginIndex) const {
        return "try " + tag(args.primary) + ", after " + std::to_string(args.threshold.count()) +
               " ms " + tag(args.secondary);
    }
    [[nodiscard]] std::string of(const Zone& args, const Plugin&, PluginIndex) const {
        if (args.secondary) return "answer from zone " + tag(*args.secondary);
        return of(args.forward);
    }
    [[nodiscard]] std::string of(const Redirect&, const Plugin& plugin, PluginIndex) const {
        return "ask for another name, by " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const Hosts&, const Plugin& plugin, PluginIndex) const {
        return "answer from hosts " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const Arbitrary&, const Plugin& plugin, PluginIndex) const {
        return "answer with the records of " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const StaticRecords&, const Plugin& plugin, PluginIndex) const {
        return "answer from static records " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const DhcpLeases&, const Plugin& plugin, PluginIndex) const {
        return "answer from DHCP leases " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const Rpz&, const Plugin& plugin, PluginIndex) const {
        return "apply policy zone " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const Dns64&, const Plugin& plugin, PluginIndex) const {
        return "synthesize AAAA by dns64 " + quoted(plugin.tag);
    }
    [[nodiscard]] std::string of(const Prefer& args, const Plugin&, PluginIndex) const {
        return args.v6 ? "prefer IPv6: no A if there are AAAA"
                       : "prefer IPv4: no AAAA if there are A";
    }
    [[nodiscard]] std::string of(const Sleep& args, const Plugin&, PluginIndex) const {
        return "wait " + std::to_string(args.duration.count()) + " ms";
    }
    [[nodiscard]] std::string of(const Ttl& args, const Plugin&, PluginIndex) const {
        if (args.most_s == UINT32_MAX)
            return "raise TTLs to " + std::to_string(args.least_s) + " s";
        return "limit TTLs to " + std::to_string(args.least_s) + ".." +
               std::to_string(args.most_s) + " s";
    }
    [[nodiscard]] std::string of(const DropResp&, const Plugin&, PluginIndex) const {
        return "remove the answer so far";
    }
    [[nodiscard]] std::string of(const LearnDomain& args, const Plugin&, PluginIndex) const {
        return "learn the name into " + tag(args.set);
    }
    [[nodiscard]] std::string of(const EcsHandler& args, const Plugin&, PluginIndex) const {
        if (args.preset) return "ask with the client subnet of " + args.preset->to_string();
        return args.send ? "ask with the client's subnet" : "ask without a client subnet";
    }
    template <class Other>
    [[nodiscard]] std::string of(const Other&, const Plugin& plugin, PluginIndex) const {
        return std::string(plugin.type) + (plugin.in_place ? "" : " " + quoted(plugin.tag));
    }

    const Settings& settings_;
};

// How a plugin depends on another one.
struct Use {
    bool any = false, negated = false;
};

class Effects {
  public:
    Effects(const Settings& settings, PluginIndex plugin)
        : settings_(settings), uses_(settings.plugins.size()) {
        uses_[plugin].any = true;
        while (spread()) {
        }
    }

    std::vector<Effect> all() const {
        std::vector<Effect> out;
        for (const Plugin& plugin : settings_.plugins) {
            const auto* const sequence = std::get_if<Sequence>(&plugin.args);
            if (sequence == nullptr) continue;
            for (const ExecRule& rule : sequence->rules)
                add_effects(rule, plugin.tag, out);
        }
        return out;
    }

  private:
    // Sets and matchers that refer to one that is used, and executors that have it as their rules.
    bool spread() {
        bool more = false;
        for (PluginIndex i = 0; i < settings_.plugins.size(); ++i) {
            const Plugin& plugin = settings_.plugins[i];
            if (uses_[i].any || std::holds_alternative<Sequence>(plugin.args) ||
                plugin.role == Role::server || std::holds_alternative<Fallback>(plugin.args))
                continue;
            if (const auto* const any = std::get_if<AnyMatch>(&plugin.args)) {
                for (const MatchUse& match : any->matches) {
                    if (!uses_[match.plugin].any) continue;
                    uses_[i] = {true, uses_[match.plugin].negated != match.negate};
                    more = true;
                }
                continue;
            }
            const bool refers = std::ranges::any_of(references_of(plugin), [&](const Reference& r) {
                return uses_[r.to].any && is_rules_of(plugin, r.to);
            });
            if (!refers) continue;
            uses_[i].any = more = true;
        }
        return more;
    }
    // Executors refer to executors as well.
    [[nodiscard]] bool is_rules_of(const Plugin&, PluginIndex to) const {
        const Role role = settings_.plugins[to].role;
        return role == Role::provider || role == Role::matcher;
    }

    void add_effects(const ExecRule& rule, const std::string& sequence,
                     std::vector<Effect>& out) const {
        for (const MatchUse& match : rule.matches) {
            const Use& use = uses_[match.plugin];
            if (!use.any) continue;
            out.push_back(effect(rule, sequence, match.plugin));
            out.back().negated = use.negated != match.negate;
            out.back().with_others = rule.matches.size() > 1;
            return;
        }
        if (rule.kind != ExecRule::Kind::plugin || !uses_[rule.plugin].any) return;
        out.push_back(effect(rule, sequence, rule.plugin));
        out.back().with_others = !rule.matches.empty();
    }
    [[nodiscard]] Effect effect(const ExecRule& rule, const std::string& sequence,
                                PluginIndex by) const {
        const Error place = settings_.error(rule.line, "");
        Effect out{does_text(settings_, rule), sequence, place.file, place.line};
        out.by = by;
        return out;
    }

    const Settings& settings_;
    std::vector<Use> uses_;
};

}  // namespace

std::string does_text(const Settings& settings, PluginIndex executor) {
    return Words(settings).of(executor);
}

std::string does_text(const Settings& settings, const ExecRule& rule) {
    using Kind = ExecRule::Kind;
    switch (rule.kind) {
        case Kind::accept:
            return "accept: end with the answer so far";
        case Kind::return_:
            return "return to the calling sequence";
        case Kind::reject:
            return "reject " + rcode_text(rule.rcode);
        case Kind::drop:
            return "drop: no reply";
        case Kind::mark: {
            std::vector<std::string> marks;
            for (const std::uint32_t mark : rule.marks)
                marks.push_back(std::to_string(mark));
            return "mark " + some_of(marks);
        }
        case Kind::jump:
            return "jump to sequence " + quoted(settings.plugin(rule.plugin).tag);
        case Kind::goto_:
            return "go to sequence " + quoted(settings.plugin(rule.plugin).tag);
        case Kind::plugin:
            break;
    }
    return does_text(settings, rule.plugin);
}

std::vector<Effect> effects_of(const Settings& settings, PluginIndex plugin) {
    return Effects(settings, plugin).all();
}

}  // namespace steer::config
