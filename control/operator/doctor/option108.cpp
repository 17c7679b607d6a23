#include "control/operator/doctor/option108.h"

#include <algorithm>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Menu;

constexpr std::string_view kNetworks = "/ip/dhcp-server/network";
constexpr std::string_view kOptions = "/ip/dhcp-server/option";
constexpr std::string_view kSets = "/ip/dhcp-server/option/sets";
constexpr std::string_view kMemory = "steerdns-withdrew=";
constexpr char kMemoryEnd = ';';

bool is_108(const RouterFacts& router, std::string_view name) {
    const Row* const option = router.table(kOptions).find("name", name);
    return option != nullptr && option->get("code") == "108";
}

// The names of the memory in a comment, with commas; empty: none.
std::string_view remembered(std::string_view comment) {
    if (!comment.starts_with(kMemory)) return {};
    const std::size_t end = comment.find(kMemoryEnd);
    if (end == comment.npos) return {};
    return comment.substr(kMemory.size(), end - kMemory.size());
}

// The comment without it.
std::string_view rest_of(std::string_view comment) {
    return remembered(comment).empty() ? comment : comment.substr(comment.find(kMemoryEnd) + 1);
}

void append(std::string& list, std::string_view item) {
    list.append(list.empty() ? "" : ",").append(item);
}

void set_network(OptionChange& out, const Row& network, const std::string& options,
                 const std::string& comment) {
    Finding finding;
    set_row(finding, routeros::forms::set_network_option, Menu::ip, network,
            {{"dhcp-option", options}, {"comment", comment}});
    std::ranges::move(finding.fix, std::back_inserter(out.changes));
    std::ranges::move(finding.undo, std::back_inserter(out.undo));
}

}  // namespace

Option108 read_option108(const RouterFacts& router) {
    Option108 state;
    for (const Row& network : router.table(kNetworks).rows) {
        for (const std::string_view name : items_of(network.get("dhcp-option")))
            state.is_given = state.is_given || is_108(router, name);
        if (const Row* const set = router.table(kSets).find("name", network.get("dhcp-option-set")))
            for (const std::string_view name : items_of(set->get("options")))
                state.is_given_by_set = state.is_given_by_set || is_108(router, name);
        if (!remembered(network.get("comment")).empty())
            state.withdrawn.emplace_back(network.get("address"));
    }
    return state;
}

OptionChange withdraw_option108(const RouterFacts& router) {
    OptionChange out;
    for (const Row& network : router.table(kNetworks).rows) {
        std::string kept, taken(remembered(network.get("comment")));
        bool is_any = false;
        for (const std::string_view name : items_of(network.get("dhcp-option"))) {
            // (A name with the memory's end could not be read back.)
            const bool takes = is_108(router, name) && name.find(kMemoryEnd) == name.npos;
            is_any = is_any || takes;
            append(takes ? taken : kept, name);
        }
        if (!is_any) continue;
        set_network(out, network, kept,
                    std::string(kMemory) + taken + kMemoryEnd +
                        std::string(rest_of(network.get("comment"))));
    }
    return out;
}

OptionChange put_back_option108(const RouterFacts& router) {
    OptionChange out;
    for (const Row& network : router.table(kNetworks).rows) {
        const std::string_view names = remembered(network.get("comment"));
        if (names.empty()) continue;
        std::string options(network.get("dhcp-option"));
        for (const std::string_view name : items_of(names)) {
            if (is_108(router, name) && !network.lists("dhcp-option", name)) append(options, name);
        }
        set_network(out, network, options, std::string(rest_of(network.get("comment"))));
    }
    return out;
}

void demand_proof(Findings& findings, const Steps& steps) {
    const auto is_proved = [&](std::string_view name) {
        return std::ranges::any_of(
            steps, [&](const Step& step) { return step.name == name && step.end == StepEnd::ok; });
    };
    if (is_proved("advertisement") && is_proved("nat64")) return;
    for (Finding& finding : findings) {
        if (finding.check != "option-108-unused" || finding.fix.empty()) continue;
        finding.fix.clear();
        finding.undo.clear();
        finding.advice =
            "prove PREF64, RDNSS and a translated connection first; then this has the command: "
            "steerctl doctor --probe-nat64 NAME --probe-from ADDRESS";
    }
}

void Nat64Watch::see(Seen seen) {
    if (seen == Seen::unknown) return;
    dead_ = seen == Seen::dead ? dead_ + 1 : 0;
    alive_ = seen == Seen::alive ? alive_ + 1 : 0;
    if (dead_ >= kDead) is_dead_ = true, is_alive_ = false;
    if (alive_ >= kAlive) is_alive_ = true, is_dead_ = false;
}

}  // namespace steer::doctor
