#include "control/config/text/suggestion.h"

#include <algorithm>
#include <array>

#include "control/config/report.h"

namespace steer::config {
namespace {

// A word that people write, and what they mean by it: a name, if it is among the candidates, else a sentence.
struct Meant {
    NameOf what;
    std::string_view written;
    std::string_view means;
    std::string_view text = {};
};

constexpr std::string_view kListTimes =
    "lists from URLs are fetched at the interval 'every' of 'fetch' in 'control'";
constexpr std::string_view kListUrls =
    "'files' takes URLs (of an adlist: 'lists'), and 'fetch' in 'control' says how often they are "
    "fetched";
constexpr std::string_view kBlocks =
    "write a plugin of type 'adlist' under 'plugins', and run it in a sequence";
constexpr std::string_view kRunsAdList =
    "write a plugin of type 'adlist' under 'plugins', and its '$TAG' here";
constexpr std::string_view kNxDomain =
    "write 'reject 3' in a sequence, or a plugin of type 'black_hole' with 'mode: nxdomain'";

constexpr std::string_view kListsFetch =
    "write 'fetch' with 'every' in 'control': it fetches the lists from URLs";
constexpr std::string_view kOneClient =
    "a rule chooses clients: write 'client_ip ADDRESS' in its 'matches'";
constexpr std::string_view kAnswerOfList =
    "an adlist has 'answer: nxdomain'; elsewhere write 'exec: reject 3' in a sequence";

constexpr std::array kMeant{
    Meant{NameOf::key, "interval", "every", kListTimes},
    Meant{NameOf::key, "update_interval", "every", kListTimes},
    Meant{NameOf::key, "refresh", "every", kListTimes},
    Meant{NameOf::key, "fetch", {}, kListUrls},
    Meant{NameOf::key, "url", "files", {}},
    Meant{NameOf::key, "urls", "files", {}},
    Meant{NameOf::key, "blocklist", "lists", {}},
    Meant{NameOf::key, "blocklists", "lists", {}},
    Meant{NameOf::key, "client", "clients", kOneClient},
    Meant{NameOf::key, "clients", {}, kOneClient},
    Meant{NameOf::key, "nxdomain", {}, kAnswerOfList},
    Meant{NameOf::section, "interval", {}, kListsFetch},
    Meant{NameOf::section, "nxdomain", {}, kNxDomain},
    Meant{NameOf::section, "blocklist", {}, kBlocks},
    Meant{NameOf::section, "blocklists", {}, kBlocks},
    Meant{NameOf::section, "client", {}, "'allow' in 'dataplane' says who may ask"},
    Meant{NameOf::section, "clients", {}, "'allow' in 'dataplane' says who may ask"},
    Meant{NameOf::section, "upstream", {}, "write a plugin of type 'forward' under 'plugins'"},
    Meant{NameOf::section, "upstreams", {}, "write a plugin of type 'forward' under 'plugins'"},
    Meant{NameOf::plugin_type, "blocklist", "adlist"},
    Meant{NameOf::plugin_type, "client", "client_ip"},
    Meant{NameOf::plugin_type, "nxdomain", {}, kNxDomain},
    Meant{NameOf::plugin_type, "interval", {}, kListsFetch},
    Meant{NameOf::plugin_type, "fetch", {}, kListsFetch},
    Meant{NameOf::executor, "blocklist", {}, kRunsAdList},
    Meant{NameOf::executor, "nxdomain", {}, "write 'reject 3' or 'black_hole nxdomain'"},
    Meant{NameOf::executor, "nodata", {}, "write 'reject 0' or 'black_hole nodata'"},
    Meant{NameOf::executor, "refused", {}, "write 'reject 5' or 'black_hole refused'"},
    Meant{NameOf::executor, "block", {}, "write 'reject 3' or 'black_hole nxdomain'"},
    Meant{NameOf::matcher, "client", "client_ip"},
    Meant{NameOf::matcher, "blocklist", {}, "write 'qname $TAG' with a domain_set"},
    Meant{NameOf::matcher, "nxdomain", {}, "write 'rcode 3' for answers with NXDOMAIN"},
};

// Plugins with lists.
bool has_lists(std::string_view owner) {
    constexpr std::array kListTypes{"adlist ",  "adguard_rule ", "domain_set ", "geoip ",
                                    "geosite ", "hosts ",        "ip_set ",     "'lists' of "};
    return std::ranges::any_of(kListTypes,
                               [&](std::string_view t) { return owner.starts_with(t); });
}

}  // namespace

std::string suggestion(NameOf what, std::string_view written, std::string_view owner,
                       const std::vector<std::string_view>& candidates) {
    for (const Meant& one : kMeant) {
        if (one.what != what || one.written != written) continue;
        if (std::ranges::find(candidates, one.means) != candidates.end() && !one.means.empty())
            return ": did you mean '" + std::string(one.means) + "'?";
        if (!one.text.empty() && (what != NameOf::key || has_lists(owner)))
            return ": " + std::string(one.text);
    }
    return did_you_mean(written, candidates);
}

}  // namespace steer::config
