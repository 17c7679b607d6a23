// Response policy zones (draft-vixie-dnsop-dns-rpz-00): which action holds for a question, and for the answer that came.
//
// Which of several (section 5 of the draft): the one of the name that comes first in the chain of CNAMEs, the question's
// own name and client before all; there the first zone, in its order; in a zone the client's address before the name before
// addresses of the answer; of names the exact one, then the longest wildcard; of prefixes the longest, then the one of the
// smallest address. PASSTHRU is an action as others, and ends the search.
//
// A wildcard holds for all names below it, however deep and whatever else the zone has there; it does not hold for the name
// itself.
//
// Built by control/build, immutable; any number of workers look up at the same time. Cost of find(): for each zone one
// binary search an address and two hashes a name.
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
#include "dataplane/dns/pref64.h"
#include "matchers/name_values.h"
#include "matchers/prefix/prefix_values.h"

namespace steer {

struct Rpz {
    struct Action {
        enum class Does : std::uint8_t {
            deny,      // `answer`: NXDOMAIN or NODATA
            passthru,  // nothing
            drop,      // no answer at all
            tcp_only,  // over UDP `answer`, which is truncated; else as passthru
            alias,     // `alias` is asked for
            records,   // those of `typed`, else `answer`: NODATA
        };
        Does does = Does::deny;
        std::uint16_t alias = 0;  // of Snapshot::redirect_targets
        AnswerRef answer = kNoAnswer;
        AnswerTable::Range typed{0, 0};  // of Rpz::typed
    };
    struct Zone {
        std::string name;            // a path or URL
        std::size_t rules = 0;       // triggers that it has
        matchers::NameValues names;  // of the name alone; values: of `actions`
        matchers::NameValues
            below;  // of all below it, found by the name above the one that is asked about
        std::uint32_t all = kNone;  // of every name but the root
        matchers::PrefixValues clients, addresses;
        std::shared_ptr<ListMatches> matches;

        [[nodiscard]] bool has_names() const {
            return names.size() > 0 || below.size() > 0 || all != kNone;
        }
    };
    struct Found {
        std::uint32_t action = kNone;  // of `actions`
        std::uint32_t zone = 0;        // of `zones`

        explicit operator bool() const { return action != kNone; }
    };
    static constexpr std::uint32_t kNone = UINT32_MAX;

    std::string tag;
    std::vector<Zone> zones;
    std::vector<Action> actions;
    std::vector<AnswerTable::Typed> typed;
    // Prefixes of translators: behind an address below one is the IPv4 address that a client comes to.
    std::vector<dns::Pref64> translated;
    bool asks_answers =
        false;  // a zone has prefixes of answers, or names, which may be targets of CNAMEs

    // What holds for the client and the name; `wire_name`: lower-cased wire form.
    [[nodiscard]] Found find_question(const IpAddress& client,
                                      std::span<const std::uint8_t> wire_name,
                                      matchers::NameMatcher::Scratch& scratch) const noexcept;
    // What holds for one name of the chain, in zones in front of number `before`.
    [[nodiscard]] Found find_name(std::span<const std::uint8_t> wire_name, std::uint32_t before,
                                  matchers::NameMatcher::Scratch& scratch) const noexcept;
    // What holds for an address of the answer, in zones in front of number `before`.
    [[nodiscard]] Found find_address(const dns::Answer& answer,
                                     std::uint32_t before) const noexcept;
    // Whether a zone in front of number `before` has prefixes of answers: an action of the question's has to wait for the
    // answer then.
    [[nodiscard]] bool asks_answers_before(std::uint32_t before) const noexcept;

    // What records are for a type; kNoAnswer: none, which is Action::answer.
    [[nodiscard]] AnswerRef answer_for(const Action& action, std::uint16_t qtype) const noexcept;
};

}  // namespace steer
