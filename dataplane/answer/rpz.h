// Response policy zones (draft-vixie-dnsop-dns-rpz-00): the action for a question, and for the answer that came.
//
// Precedence (section 5 of the draft): the name that comes first in the chain of CNAMEs, starting with the question's
// own name and the client. There the first zone in its order. In a zone: the client's address, then the name, then
// addresses of the answer. Of names: the exact one, then the longest wildcard. Of prefixes: the longest, then the one with
// the smallest address. PASSTHRU is an action like others, and ends the search.
//
// A wildcard matches all names below it, at any depth and whatever else the zone has there. It does not match the name
// itself.
//
// A zone is built by control/program/build and immutable, or comes by zone transfer and is replaced while the snapshot stays
// in force (policy_zone.h). Any number of workers look up at the same time. Cost of find(): for each zone one binary search
// per address and two hashes per name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/answer/ad_list.h"
#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/policy_zone.h"
#include "dataplane/dns/pref64.h"
#include "matchers/name_values.h"
#include "matchers/prefix/prefix_values.h"

namespace steer {

struct Rpz {
    using Action = PolicyAction;
    // What made an action hold.
    enum class Trigger : std::uint8_t { client, name, below, address };
    struct Zone {
        std::string name;            // a path or URL
        std::size_t rules = 0;       // triggers that it has
        matchers::NameValues names;  // of the name alone; values: of `actions`
        matchers::NameValues
            below;  // of all below it, found by the name above the one that is asked about
        std::uint32_t all = kNone;  // for every name except the root
        matchers::PrefixValues clients, addresses;
        std::shared_ptr<ListMatches> matches;
        // By zone transfer: the zone in place of all above except `name` and `matches`.
        std::shared_ptr<const LivePolicy> live;

        [[nodiscard]] bool has_names() const {
            return names.size() > 0 || below.size() > 0 || all != kNone || live != nullptr;
        }
        [[nodiscard]] const PolicyZone* load() const noexcept {
            return live == nullptr ? nullptr : live->load();
        }
        [[nodiscard]] const matchers::PrefixValues& addresses_of(
            const PolicyZone* loaded) const noexcept {
            return loaded == nullptr ? addresses : *loaded->addresses;
        }
    };
    struct Found {
        std::uint32_t action = kNone;  // of `actions`, or of `live`
        std::uint32_t zone = 0;        // of `zones`
        Trigger trigger = Trigger::name;
        const PolicyZone* live = nullptr;  // valid until the worker's next quiescent state

        explicit operator bool() const { return action != kNone; }
    };
    static constexpr std::uint32_t kNone = UINT32_MAX;

    std::string tag;
    std::vector<Zone> zones;
    std::vector<Action> actions;
    std::vector<AnswerTable::Typed> typed;
    // Prefixes of NAT64: an address below one leads to the IPv4 address in it.
    std::vector<dns::Pref64> translated;
    bool asks_answers =
        false;          // a zone has prefixes of answers, or names, which may be targets of CNAMEs
    bool logs = false;  // each match is a note to control
    // Its zone has all names that come here: while there is no zone, they get SERVFAIL. Answers are not checked.
    bool is_authority = false;

    // The action for the client and the name; `wire_name`: lower-cased wire form.
    [[nodiscard]] Found find_question(const IpAddress& client,
                                      std::span<const std::uint8_t> wire_name,
                                      matchers::NameMatcher::Scratch& scratch) const noexcept;
    // The action for one name of the chain, in zones before number `before`.
    [[nodiscard]] Found find_name(std::span<const std::uint8_t> wire_name, std::uint32_t before,
                                  matchers::NameMatcher::Scratch& scratch) const noexcept;
    // The action for an address of the answer, in zones before number `before`.
    [[nodiscard]] Found find_address(const dns::Answer& answer,
                                     std::uint32_t before) const noexcept;
    // Whether a zone before number `before` has prefixes of answers: then an action for the question waits for
    // the answer.
    [[nodiscard]] bool asks_answers_before(std::uint32_t before) const noexcept;

    [[nodiscard]] const Action& action_of(const Found& found) const noexcept {
        return found.live == nullptr ? actions[found.action] : found.live->at(found.action).action;
    }
};

}  // namespace steer
