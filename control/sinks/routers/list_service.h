// The connection between rings and row board. Turns events into claims on the sinks of their list,
// and merges the sinks' results for workers: entries of the row board, the list's epoch, whether it
// is away, the end of waiting answers.
//
// For a list with one sink, that sink decides. For several sinks, the row board has an address as
// long as every sink that is not away has it (`quorum: all`: every sink). So no lease outlives a
// row on any of them. The list's quorum is the number of sinks that an answer waits for. A sink
// that becomes away no longer counts. One that returns counts again, with a new epoch; knowledge
// about the others stays. Memory of lists with several sinks: about 90 bytes per address, 4 more
// per sink from the fifth on.
//
// If a sink has no space for an address, the address gets a mark on the row board (row_board.h:
// Refusal) for 60 s, or until its claim is accepted. The sinks that count for the list's quorum
// decide. Marks may use an eighth of the row board. Above that, the list with most marks loses its
// oldest one, so that no list's flood removes those of other lists. Workers learn until when the
// lost marks would have lasted (ListState::evicted_until_s).
//
// Addresses that this machine needs, and that became known at run time, are not claimed
// (runtime/needed_hosts.h).
//
// One thread: `routers`. Independent of the kind of sink.
#pragma once

#include <array>
#include <atomic>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/runtime/dataplane_runtime.h"
#include "control/sinks/routers/acknowledger.h"
#include "control/sinks/routers/claim_sink.h"
#include "control/sinks/routers/shared_addresses.h"
#include "routeros/address.h"

namespace steer {

class ListService final : public SinkObserver {
  public:
    using Warn = std::function<void(const std::string& sentence)>;

    ListService(DataplaneRuntime& runtime, Acknowledger& acknowledger, Warn warn);

    // Uses these sinks with their lists() from now on. New lists, and lists with other sinks than
    // before, start without knowledge. A list without a sink is away.
    void configure(const std::vector<ClaimSink*>& sinks);

    // Handles an event: an answer is sent, or clients got a list's address for another name
    // (EventKind). Returns false if no sink has the list.
    bool take(const Event& event, std::uint64_t now_ms);
    // Call it periodically (RouterThread: twice a second): removes ended rows from the row board, a
    // part each time, and publishes the failed claims that count_failure() held back.
    void forget_ended(std::uint64_t now_ms);
    // Rows and skips that are missing because the row board was full. Any thread.
    [[nodiscard]] std::uint64_t board_full() const {
        return board_full_.load(std::memory_order_relaxed);
    }
    // Number of addresses that sinks had no space for. Any thread.
    [[nodiscard]] std::uint64_t refusals() const {
        return refusals_.load(std::memory_order_relaxed);
    }
    // Addresses that were not claimed because this machine needs them (NeededHosts). Any thread.
    [[nodiscard]] std::uint64_t needed_hosts_skipped() const {
        return needed_hosts_skipped_.load(std::memory_order_relaxed);
    }
    // Of these, the number of marks that were evicted before their time. Any thread.
    [[nodiscard]] std::uint64_t marks_lost() const {
        return marks_lost_.load(std::memory_order_relaxed);
    }
    // For all lists.
    [[nodiscard]] const SharedAddresses& shared() const { return shared_; }

    // Callbacks of the sinks; ignored if the sink does not have the list.
    void installed(const ClaimSink& sink, ListId list, const IpAddress& address,
                   std::uint32_t until_s) override;
    void ended(const ClaimSink& sink, ListId list, const IpAddress& address) override;
    void lost(const ClaimSink& sink, ListId list, const IpAddress& address) override;
    void refused(const ClaimSink& sink, ListId list, const IpAddress& address,
                 RefusedFor whom) override;
    void refused_later(const ClaimSink& sink, ListId list, const IpAddress& address,
                       RefusedFor whom, std::string_view name, const IpAddress& client) override;
    void epoch(const ClaimSink& sink, ListId list) override;
    void away(const ClaimSink& sink, ListId list, bool value) override;
    void settled(std::uint64_t hold_token, Outcome outcome) override;

  private:
    using Untils =
        boost::container::small_vector<std::uint32_t, 4>;  // seconds, by sink; 0: unknown
    struct ListSink {
        ClaimSink* sink;
        bool away = true;
    };
    struct List {
        std::string tag;
        std::vector<ListSink> sinks;
        config::Quorum quorum = config::Quorum::healthy;
        std::vector<IpAddress> allowed;            // ClaimTerms::allowed ...
        std::vector<TranslatedPrefix> translated;  // ... and its translated
        boost::unordered_flat_map<routeros::Address, Untils, routeros::AddressHash>
            rows;  // for several sinks
    };
    struct Wait {  // an answer that waits for several sinks
        std::uint64_t token;
        config::Quorum quorum;
        std::uint32_t left;  // sinks
        bool notified = false;
        std::array<std::uint32_t, static_cast<std::size_t>(Outcome::count_)> reported{};
        [[nodiscard]] Outcome outcome() const;
    };

    struct LoggedShared {  // the last log line for a list's shared addresses
        std::size_t count = 0;
        std::uint64_t at_ms = 0;
    };

    [[nodiscard]] ListStates& states() const { return *runtime_.shared().lists; }
    [[nodiscard]] ListState& state(ListId list) const { return states()[list]; }
    // Its index among the list's sinks; -1: it does not have the list.
    static int place_of(const List& list, const ClaimSink& sink);
    [[nodiscard]] static std::uint32_t known_until(const List& list, const Untils& untils);
    // What a sink reports about a row.
    struct Report {
        std::uint32_t until_s;  // 0: it is not known to exist
        bool is_early = false;  // lost(): the row ends early, or was never written
    };
    void known(const ClaimSink& sink, ListId id, const IpAddress& address, Report report);
    void put(ListId id, const IpAddress& address, Report report);
    void count_failure(ListId id);
    void publish_failures();
    void count_anew(ListId id, const List& list);
    void notify_away(ListId id, const List& list);
    void claim(const List& list, const Event& event, std::uint64_t now_ms);
    void take_refusals(const List& list, const Event& event, std::span<const IpAddress> addresses);
    [[nodiscard]] static bool counts(const List& list, const ListSink& one);
    [[nodiscard]] static bool counts(const List& list, const ClaimSink& sink);
    [[nodiscard]] std::uint32_t now_s() const { return static_cast<std::uint32_t>(now_ms_ / 1000); }
    void mark(ListId id, const IpAddress& address, std::uint32_t holder);
    void bound_marks();
    void forget_marks();
    void log_shortened(const List& list, const Event& event, std::uint64_t now_ms);
    void note_shared(const List& list, const Event& event, std::uint64_t now_ms);
    void log_shared(const List& list, const Event& event, const IpAddress& address,
                    std::string_view name, std::uint64_t now_ms);

    DataplaneRuntime& runtime_;
    Acknowledger& acknowledger_;
    Warn warn_;
    std::vector<List> lists_{kMaxLists};  // by id
    boost::unordered_flat_map<std::uint64_t, Wait> waits_;
    std::uint64_t next_wait_ = 0;
    SharedAddresses shared_;
    std::uint32_t tidied_s_ = 0;       // last removal of old names of shared addresses
    std::uint32_t tidied_rows_s_ = 0;  // last removal of rows of lists with several sinks
    std::atomic<std::uint64_t> board_full_{0};
    std::uint64_t now_ms_ = 0;  // time of the last take() or forget_ended()
    struct RefusedAddress {
        IpAddress address;
        RefusedFor whom;
    };
    const List* claiming_ = nullptr;                 // its sinks get a claim at present ...
    std::vector<RefusedAddress> refused_;            // ... addresses that they refused, per sink
    std::map<ListId, std::deque<IpAddress>> marks_;  // on the row board, the oldest first
    // Lists with failed claims since the last forget_ended(); true: more than the published one.
    boost::unordered_flat_map<ListId, bool> failures_;
    std::size_t mark_count_ = 0;
    std::atomic<std::uint64_t> marks_lost_{0}, needed_hosts_skipped_{0};
    ListId tidied_list_ = 0;  // the first list for the next forget_marks()
    std::atomic<std::uint64_t> refusals_{0};
    std::map<ListId, LoggedShared> logged_shared_;
    std::map<ListId, std::uint64_t> shortened_logged_ms_;
};

}  // namespace steer
