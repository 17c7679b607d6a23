// Response policy zones (draft-vixie-dnsop-dns-rpz-00): the action for a question and for its
// answer.
//
// Precedence (section 5 of the draft):
// 1. The first name of the CNAME chain that matches. The chain starts with the question's name; the
//    client's address counts with it.
// 2. For this name, the first zone in the order of the zones.
// 3. In a zone: the client's address, then the name, then addresses of the answer.
// 4. Of names: the exact one, then the longest wildcard. Of prefixes: the longest one, then the one
//    with the lowest address.
// PASSTHRU is an action like the others, and ends the search.
//
// Legal zones come first, and are searched alone: what another zone lets pass is searched for in
// them at every name of the chain.
//
// A wildcard matches all names below it, at any depth, even if the zone has other triggers there.
// It does not match the name itself.
//
// control/program/build builds a zone, then it is immutable. A zone by transfer is replaced while
// the snapshot stays in force (policy_zone.h). Workers may search it at the same time. find() costs
// one binary search per address and two hashes per name, for each zone.
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
    // The part of a query or response that an action matched.
    enum class Trigger : std::uint8_t { client, name, below, address };
    struct Zone {
        std::string name;            // a path or URL
        std::size_t rules = 0;       // number of triggers
        matchers::NameValues names;  // exact names; values: indexes of `actions`
        matchers::NameValues below;  // wildcards, found by the name above the question's
        std::uint32_t all = kNone;   // action for every name except the root
        matchers::PrefixValues clients, addresses;
        std::shared_ptr<ListMatches> matches;
        // By zone transfer: the zone in place of all above except `name` and `matches`.
        std::shared_ptr<const LivePolicy> live;
        std::uint64_t id = 0;   // list_id() (name_rules.h)
        bool is_legal = false;  // no rule ends it
        BlockNotice notice{};
        bool logs_hits = false;  // what it decides is in the hit log
        matchers::ListVersion version{};

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
        std::uint32_t action = kNone;  // index of `actions`, or of `live`
        std::uint32_t zone = 0;        // index of `zones`
        Trigger trigger = Trigger::name;
        const PolicyZone* live = nullptr;  // valid until the worker's next quiescent state

        explicit operator bool() const { return action != kNone; }
    };
    static constexpr std::uint32_t kNone = UINT32_MAX;

    std::string tag;
    std::uint64_t id = 0;  // list_id()
    std::vector<Zone> zones;
    std::vector<Action> actions;
    std::vector<AnswerTable::Typed> typed;
    // NAT64 prefixes. An address with such a prefix is checked as the IPv4 address in it.
    std::vector<dns::Pref64> translated;
    // A zone has prefixes for answers, or names, which a CNAME may reach.
    bool asks_answers = false;
    bool logs = false;  // each match is a note to control
    // A local zone: while control has no zone, its names get SERVFAIL. Answers are not checked.
    bool is_authority = false;

    std::uint32_t legal_zones = 0;  // the first ones

    // The zones of a search, and what it does not take.
    struct Scope {
        std::uint32_t from = 0, before = UINT32_MAX;  // numbers of zones
        // Whether the search goes on with the next zone. nullptr: never.
        bool (*is_ended)(const void* of, const Found& found) = nullptr;
        const void* of = nullptr;

        [[nodiscard]] Scope until(std::uint32_t zone) const noexcept {
            return {from, zone < before ? zone : before, is_ended, of};
        }
        [[nodiscard]] bool takes(const Found& found) const noexcept {
            return found && (is_ended == nullptr || !is_ended(of, found));
        }
    };
    // The action for the client and the name. `wire_name`: lower-cased wire form.
    [[nodiscard]] Found find_question(const Scope& scope, const IpAddress& client,
                                      std::span<const std::uint8_t> wire_name,
                                      matchers::NameMatcher::Scratch& scratch) const noexcept;
    // The action for one name of the CNAME chain.
    [[nodiscard]] Found find_name(const Scope& scope, std::span<const std::uint8_t> wire_name,
                                  matchers::NameMatcher::Scratch& scratch) const noexcept;
    // The action for an address of the answer.
    [[nodiscard]] Found find_address(const Scope& scope, const dns::Answer& answer) const noexcept;
    // Whether a zone with a number below `before` has prefixes for answers. An action for the
    // question then waits for the answer.
    [[nodiscard]] bool asks_answers_before(std::uint32_t before) const noexcept;
    // Whether a legal zone may have an action for the answer.
    [[nodiscard]] bool legal_asks_answers() const noexcept;

    [[nodiscard]] const Action& action_of(const Found& found) const noexcept {
        return found.live == nullptr ? actions[found.action] : found.live->at(found.action).action;
    }
    // The typed answers that PolicyAction::typed of this action is a range of.
    [[nodiscard]] std::span<const AnswerTable::Typed> typed_of(const Found& found) const noexcept {
        return found.live == nullptr ? typed : found.live->at(found.action).of.typed;
    }
};

}  // namespace steer
