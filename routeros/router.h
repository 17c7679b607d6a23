// One router: keeps its address lists equal to the claims, and reports which rows are known to
// exist.
//
// No I/O and no clock: it gets bytes, connection events and the time (ms of CLOCK_BOOTTIME), and
// returns bytes and updates of the row board. One thread. Any number of routers per process. In
// every state, a claim is kept until its lease has ended. Nothing here waits.
//
//   disconnected → connecting → logging_in → reading → in_sync
//   any → unusable (it sends too much data) → connecting, 10 minutes later
//
// reading: uptime (a reboot is a changed boot time), listen, print of our lists; then the
// difference to the claims and persistent entries is written. in_sync: listen, an uptime heartbeat
// every 2 s, a print every 30 minutes. Any end of the connection makes all knowledge invalid: a new
// epoch begins.
//
// The class has eleven files by subject: router.cpp (connection, time), router_read.cpp (data from
// the router), router_write.cpp (writes to it), router_claim.cpp (claims, waiting answers, the row
// board), router_cover.cpp (cover of an address by other rows), router_connections.cpp (connections
// that started too early), router_others.cpp (changes by others), router_fleet.cpp (role, writer
// row), router_routes.cpp (the differences between routes and entries), router_probe.cpp (probe of
// its version), router_status.cpp. Every entry function sets `now_` once; the code below it uses
// that time.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/claims.h"
#include "routeros/connections.h"
#include "routeros/diff.h"
#include "routeros/features.h"
#include "routeros/findings.h"
#include "routeros/fleet_role.h"
#include "routeros/link.h"
#include "routeros/probe.h"
#include "routeros/refusal_log.h"
#include "routeros/router_config.h"
#include "routeros/router_report.h"
#include "routeros/router_sink.h"
#include "routeros/row_types.h"
#include "routeros/rows.h"
#include "routeros/session.h"
#include "routeros/trace.h"
#include "routeros/transcript.h"
#include "routeros/write_class.h"
#include "routeros/writer.h"

namespace steer::routeros {

// While heartbeats are answered in time, a change from listen is younger than this. It is always
// younger than the request of the last heartbeat that was answered before it, except for a change
// that arrived while this process was suspended.
inline constexpr std::uint64_t kListenAgeMs = 4'000;

class Router final : public LinkUser, private SessionHandler {
  public:
    Router(RouterConfig config, RouterSink& sink, RouterLink& link);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Connects at once, and again after each failure. Nothing happens before this call.
    void start(std::uint64_t now_ms);
    // Ends the session; makes no connection until start().
    void stop(std::uint64_t now_ms);
    // A reload: other lists, other persistent entries. Keeps claims of lists that stay; reads
    // everything again.
    void configure(RouterConfig config, std::uint64_t now_ms);

    // An answer with these addresses was or will be sent. `lease_end_ms`: end of the clients' use
    // of the addresses. `row_life_s`: the row's life from now (0: no timeout). `hold_token` 0: no
    // answer waits; else settled() returns it, possibly before this call returns. For a held
    // answer, the row lives the list's `sync_timeout` longer than the lease, because its TTL starts
    // when it is released. `origin`: its name in text form, and the client of the query.
    void claim(ListId list, std::span<const AddressBytes> addresses, const Origin& origin,
               std::uint64_t lease_end_ms, std::uint32_t row_life_s, std::uint64_t hold_token,
               std::uint64_t now_ms);

    // Adds claims of other appliances in the fleet; none of our answers waits for them. `urgent`:
    // an answer of the other appliance waits. Then rows are written as for held answers, and live
    // long enough for the other appliance to see them with `listen`.
    void take_claims(std::span<const SharedClaim> claims, bool urgent, std::uint64_t now_ms);
    // Calls f for each live claim, to send it to others. f must not call back.
    void for_each_claim(const std::function<void(const SharedClaim&)>& f) const;

    // Sets the role on this router; repeated calls have no effect. A pause overrides every role. A
    // writer writes after its writer row is acknowledged. A standby computes and reports as a
    // writer does, and writes nothing. In a fleet, cleanup() removes nothing, because answers of
    // other appliances rely on the rows.
    void set_role(FleetRole role, std::uint64_t now_ms);
    // The highest token in writer rows of this fleet seen on this router; 0: none.
    [[nodiscard]] std::uint64_t highest_token() const { return highest_token_; }

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

    // This object will end. Background writes get the share of repairs, because clients have the
    // answers and no later write follows.
    void hurry(std::uint64_t now_ms);

    // cleanup_on_shutdown: removes only the entries that this object added, and all our routes;
    // accepts no more claims.
    void cleanup(std::uint64_t now_ms);
    [[nodiscard]] bool cleaned() const;

    // Requests a print of our lists at the next moment without held writes (steerctl, tests).
    void request_reprint(std::uint64_t now_ms);

    // Stops writing, and no answer waits: the router counts as unreachable. Keeps claims, and reads
    // data from the router. Lasts until resume(); a reload does not end it.
    void pause(std::uint64_t now_ms);
    void resume(std::uint64_t now_ms);
    // Removes the rows with our comment prefix and the `pg` of an unknown plugin; returns their
    // number. Returns 0 while paused or not in sync.
    std::size_t remove_orphans(std::uint64_t now_ms);
    // The rows of our lists whose comments begin with `prefix` and have our form. `write`: replaces
    // their comments by ours. Each row stays in place with its timeout. Writes nothing while paused
    // or not in sync.
    Adopted adopt(std::string_view prefix, bool write, std::uint64_t now_ms,
                  std::size_t most = SIZE_MAX);
    // Gives up the claims of this address and removes our dynamic rows for it. Promises on the row
    // board become invalid, so answers are claimed again. Rows of a router that is not in sync
    // expire.
    Forgotten forget(const AddressBytes& address, std::uint64_t now_ms);

    // Probes the router's version at the next quiet moment, even if it is known.
    void probe(std::uint64_t now_ms);
    [[nodiscard]] ProbeView probed() const;

    // Differences between claims and the router's rows, at most `most`; empty if not in sync.
    [[nodiscard]] std::vector<DifferenceRow> differences(std::size_t most, std::uint64_t now_ms);
    // The tag of a list's plugin, and the first name that an address is claimed for (the row's
    // `dm`); empty: none. Valid until the next call of another function.
    [[nodiscard]] std::string_view tag_of(ListId list) const;
    [[nodiscard]] std::string_view name_of(ListId list, const AddressBytes& address) const;
    // Whether there is a claim; a refused claim does not count.
    [[nodiscard]] bool has_claim(ListId list, const AddressBytes& address) const;
    // What the row of a claim lacks, as in DifferenceRow; "nothing": it is there. Empty: there is no
    // claim, or the router is not in sync.
    [[nodiscard]] std::string_view row_state(ListId list, const AddressBytes& address,
                                             std::uint64_t now_ms);
    [[nodiscard]] const Trace& trace() const { return trace_; }
    [[nodiscard]] RouterStatus status() const;
    [[nodiscard]] const RouterCounters& counters() const { return counters_; }
    // Behind that place, in order: at most `most`.
    [[nodiscard]] std::vector<OrphanRow> orphans(std::optional<OrphanPlace> after = std::nullopt,
                                                 std::size_t most = SIZE_MAX) const;

  private:
    void on_login(const Ending& ending) override;
    void on_row(Tag tag, const ReplyRow& row) override;
    void on_end(Tag tag, const Ending& ending) override;
    void on_broken(std::string_view reason) override;

    struct List {
        ListConfig config;
        std::optional<NameIndex> name4, name6;
        std::uint32_t epoch = 1;
        bool stalled = false;  // no acknowledgement for too long
        bool notified_away = true;
        // As a standby: number of answers in a row that waited without a result, and the time of
        // the last one.
        unsigned unserved = 0;
        std::uint64_t unserved_ms = 0;
        bool nearly_full = false;  // it was logged
        RefusalLog refusals;
        [[nodiscard]] std::optional<NameIndex> name(Menu menu) const {
            return menu == Menu::ip ? name4 : name6;
        }
    };
    struct Name {  // an address list or routing table on the router
        Table table;
        std::string text;
        std::vector<List*> users;
        std::vector<std::uint8_t> prefixes{};  // lengths of persistent prefixes, the longest first
        RowValues values{};                    // what its rows have: the properties of their type
        bool is_guarded = false;               // by connections
        std::size_t lost = 0;                  // rows that others removed, not reported yet
        Address lost_first{};
        std::uint64_t lost_log_ms = 0, lost_logged_ms = 0;
        std::uint64_t others_ms = 0;  // the last write by an unconfigured second writer
    };
    enum class JobKind : std::uint8_t {
        resource,
        print,
        lookup,
        listen,
        write,
        probe,
        probe_read,
        connections,
        cut,
        own,
        adopt,
        writer_row
    };
    static constexpr std::size_t kJobKinds = 12;
    struct Job {  // a command in progress
        JobKind kind;
        Table table{};
        std::uint64_t sent_ms = 0;
        std::uint32_t print = 0;
        std::vector<Place> places{};  // lookup
    };
    // Two bounds of a row's end (rows.h).
    struct Bounds {
        std::uint64_t until_ms, gone_ms;
    };
    struct Wanted {  // with its claim, for the comment and the timeout
        Want want;
        const List* list = nullptr;
        std::string_view name{};
        std::uint32_t slack_s = 0, longest_s = 0, life_s = 0;
        FlowId flow = kNoFlow;
    };
    struct Judged {
        Wanted wanted;
        Difference difference;
    };
    struct Sheltered {  // addresses below a persistent prefix whose claims depend on its row
        Shelter state = Shelter::none;
        boost::unordered_flat_set<Address, AddressHash> hosts;
    };
    struct Hold {  // an answer that waits
        std::uint64_t token;
        ListId list;
        std::uint32_t left = 0;  // addresses that are still open
        bool failed = false, refused = false, waited = false;
        bool is_hopeless = false;  // its row cannot be there in time
    };
    struct Waiter {
        std::uint64_t hold;  // key in holds_
        std::uint64_t need_ms;
        std::uint64_t left_ms;  // the latest time of sending the answer without the row
    };
    struct Refusal {  // a place with a refused write, or with a foreign row that blocks
        std::uint64_t retry_ms = 0;
        std::uint32_t lookups = 0;  // after 'already have such entry'
        std::uint32_t refused = 0;  // how often the router refused its row
        RowId disabled = 0;         // the conflicting row, if it is disabled
    };
    struct WriterRow {               // a row of list steerdns-writer
        std::string fleet{}, box{};  // still escaped; empty: another program's row
        std::uint64_t token = 0;
        std::optional<Address> address{};
        std::uint64_t touched_ms = 0;
        std::uint32_t print = 0;
    };
    struct FlashSeen {  // sectors written to its flash
        std::uint64_t sectors, at_ms;
    };
    struct NewRow {
        std::string comment;
        RowValues values;
    };
    // Per session: the first script shows whether scripts work.
    enum class Scripts : std::uint8_t { off, untried, trying, work };
    // A manual change of a row.
    enum class Hand : std::uint8_t { removed, disabled, comment, timeout, property };
    // The last log line about this router.
    enum class Topic : std::uint8_t {
        none,
        unreachable,
        stranger,
        unusable,
        login,
        read,
        write,
        lost,
        in_sync
    };

    // router.cpp: connection
    void take_lists();
    List* find_list(ListId id);
    void go_on_at(std::uint64_t now_ms);
    void enter(RouterState state) { state_ = state; }
    void lose(std::string_view why, Topic topic, std::uint64_t retry_ms);
    void lose_stranger(const std::string& what);
    void lose_flooding(const std::string& what);
    [[nodiscard]] bool is_down() const {
        return state_ == RouterState::disconnected || state_ == RouterState::unusable;
    }
    void drop_session();
    void begin_epoch();
    void schedule_connect(std::uint64_t delay_ms);
    [[nodiscard]] std::uint64_t retry_delay();
    void say(Level level, Topic topic, const std::string& sentence);
    void log_line(Level level, const std::string& sentence);
    [[nodiscard]] std::string who() const;
    void begin_connect();
    bool listens_to(std::string_view bytes);
    void check_phase();
    void check_sending();
    [[nodiscard]] std::uint64_t sending_deadline() const;
    void check_silence();
    void note_activity();
    [[nodiscard]] std::uint64_t silence_deadline() const;
    [[nodiscard]] std::uint64_t notice_deadline() const;
    void note_unknown_sentences();
    void check_stall();
    [[nodiscard]] std::uint64_t stall_deadline(const List& list) const;
    void notify_away();
    void heartbeat();
    void run();  // does all work that is due now, then flushes
    void flush();

    // router_read.cpp: data from the router
    Tag submit(const Command& command, Job job);
    [[nodiscard]] std::size_t jobs(JobKind kind) const {
        return job_counts_[static_cast<std::size_t>(kind)];
    }
    // router_adopt.cpp: rows of a predecessor
    [[nodiscard]] const List* heir_of(NameIndex name, std::string_view tag) const;
    static void keep_first(std::vector<AdoptableRow>& rows, std::size_t most);
    [[nodiscard]] AdoptableRow adoptable(const Row& row, const CommentFacts& facts) const;
    void on_adopt_end(const Job& job, const Ending& ending);
    void begin_reading();
    void begin_prints();
    void begin_print(Table table);
    [[nodiscard]] bool is_missing(Table table);
    void begin_listen(Table table);
    void maybe_reprint();
    void listen_again();
    void finish_reading();
    void read_resource(const Job& job, const ReplyRow& row);
    void read_flash(const ReplyRow& resource);
    void rebooted();
    [[nodiscard]] bool read_row(Table table, const ReplyRow& reply, Row& row,
                                std::optional<std::uint64_t>& timeout_s) const;
    [[nodiscard]] bool read_properties(const ReplyRow& reply, Row& row) const;
    [[nodiscard]] std::optional<NameIndex> find_name(Table table, std::string_view text) const;
    [[nodiscard]] Place place_at(NameIndex name, const Address& address) const {
        return {name, address, names_[name].table.type};
    }
    void identify(std::string_view comment, Row& row) const;
    void set_bounds(Row& row, std::optional<std::uint64_t> timeout_s, Bounds bounds) const;
    void learn(Row row, std::string_view comment);
    [[nodiscard]] static bool is_leased_route(const Row& row);
    void inherit(const Place& place, std::string_view tag, std::string_view of_name);
    void inherit_routes();
    void on_print_row(const Job& job, const ReplyRow& reply);
    void on_listen_row(const Job& job, const ReplyRow& reply);
    void on_print_end(const Job& job, const Ending& ending);
    void on_listen_end(const Job& job, const Ending& ending);
    void sweep(const Job& job);
    void gone(Table table, RowId id);
    [[nodiscard]] bool prints_running() const { return prints_running_ > 0; }
    void set_measuring();

    // router_write.cpp: writes to the router
    void pump();
    bool send_batch(Batch& batch);
    bool send_add(Batch& batch);
    bool send_script(Batch& batch);
    void send_write(const Command& command, Batch& batch);
    [[nodiscard]] std::optional<NewRow> new_row(const Place& place) const;
    void begin_scripts();
    void judge_version();
    void end_scripts(const std::string& why);
    void on_write_end(Tag tag, const Ending& ending);
    void taken();
    void script_ended(const Batch& batch, const Ending& ending);
    void add_alone(Write write);
    void added(const Write& write, RowId id, std::uint64_t sent_ms);
    void extended(const Batch& batch);
    void enabled(const Batch& batch);
    void removed(const Batch& batch);
    void refused(const Batch& batch, const Ending& ending);
    void duplicate(const Place& place);
    void maybe_extended(const Batch& batch);
    void denied(Table table, const Ending& ending);
    void refuse(const Place& place, std::uint64_t retry_ms);
    void refuse_row(const Place& place);
    void accepted(const Place& place);
    void send_lookups();

    // router_probe.cpp: probe of its version
    void maybe_probe();
    [[nodiscard]] bool may_probe() const;
    [[nodiscard]] bool wants_probe() const;
    [[nodiscard]] bool is_tired() const;
    [[nodiscard]] const Findings* findings() const;
    [[nodiscard]] std::uint64_t probe_deadline() const;
    void begin_probe();
    void on_probe_end(const Job& job, const Ending& ending);
    void end_probe();
    void drop_probe(std::string_view why);

    // router_connections.cpp: connections from before their row existed
    [[nodiscard]] bool is_late(const Place& place) const;
    void acknowledged_late(const Place& place);
    [[nodiscard]] bool may_read_connections() const;
    [[nodiscard]] bool is_kept(const Place& place, const Wanted& w);
    void release_routes();
    void repair_connections();
    void on_connection_row(const Job& job, const ReplyRow& row);
    void on_connections_end(const Job& job, const Ending& ending);
    void end_print_early();
    void refused_connections(const Job& job, const Ending& ending);

    // router_others.cpp: changes by others
    void notice(const Row* known, const Row& row);
    [[nodiscard]] bool may_others_write(const Name& name) const;
    void notice_writer(const Row* known, const Row& row);
    [[nodiscard]] std::uint64_t others_end_ms(const Name& name) const;
    void end_second_writers();
    void notice_hand(const Row& known, const Row& row);
    void changed_by_hand(const Place& place, Hand hand);
    bool leave_alone(const Place& place, bool on);
    std::vector<std::pair<Place, Hand>> forget_hands();
    void respect_no_more();
    void note_hand(const Place& place, Hand hand);
    void log_manual_changes();
    [[nodiscard]] std::uint64_t hands_deadline() const;
    void note_disabled(const Place& place, RowId id);
    [[nodiscard]] std::string disabled_text(const Place& place, RowId id) const;
    void log_disabled_rows();
    [[nodiscard]] std::uint64_t disabled_deadline() const {
        return disabled_unlogged_ == 0 ? UINT64_MAX : disabled_logged_ms_;
    }

    // router_fleet.cpp: role, writer row
    [[nodiscard]] bool has_fleet() const { return !role_.fleet.empty(); }
    [[nodiscard]] bool is_of_fleet(const WriterRow& row) const { return row.fleet == fleet_text_; }
    [[nodiscard]] bool follows() const;
    bool read_writer_row(const Job& job, const ReplyRow& reply, bool is_news);
    void forget_writer_rows();
    void sweep_writer_rows(const Job& job);
    void note_writer_row(const WriterRow& row);
    [[nodiscard]] std::map<RowId, WriterRow>::const_iterator highest_row() const;
    [[nodiscard]] bool is_ours(const WriterRow& row) const;
    void check_role();
    void check_writer_row();
    void send_writer_row();
    void on_writer_row_end(const Job& job, const Ending& ending);
    [[nodiscard]] Address writer_address() const;
    [[nodiscard]] std::uint64_t writer_row_deadline() const;
    void begin_writing();
    void stop_writing();
    void log_role();
    void waits_unserved();
    void served(const Place& place);

    // router_cover.cpp: cover of an address by other rows
    template <class F>
    void for_each_above(const Place& place, F&& f) const;
    [[nodiscard]] Shelter shelter_by(const Place& prefix);
    [[nodiscard]] Shelter shelter_of(const Place& place);
    void note_shelter(const Place& place, const Judged& judged, WriteClass cls);
    void leave_shelters(const Place& place);
    void judge_sheltered(const Place& prefix);
    [[nodiscard]] bool must_stay(const Place& prefix) const;
    void judge_ended_prefixes();
    [[nodiscard]] bool is_unwelcome(const Place& place, bool claimed) const;
    void gave_up(const Claim& claim);
    void evict(const Claim& claim);
    void ask_own_addresses();
    void on_own_row(const Job& job, const ReplyRow& row);
    void on_own_end(const Job& job, const Ending& ending);
    void note_lost(const Place& place);
    void log_lost_rows();
    [[nodiscard]] std::uint64_t lost_deadline() const;

    // router_claim.cpp: claims, waiting answers, the row board
    [[nodiscard]] Wanted wanted(const Place& place) const;
    [[nodiscard]] Judged judge(const Place& place, bool just_ended = false);
    [[nodiscard]] std::optional<Place> place_of(const ClaimKey& key) const;
    [[nodiscard]] std::vector<Place> places_to_judge() const;
    [[nodiscard]] std::string_view label_of(const Place& place, const Judged& judged) const;
    [[nodiscard]] bool worth_judging(const Claim& claim) const;
    [[nodiscard]] bool judges() const {
        return state_ == RouterState::in_sync && !cleaning_ && !paused_;
    }
    [[nodiscard]] bool writes() const { return judges() && may_write_; }
    // Until all places have been checked once, no answer waits for this router.
    [[nodiscard]] bool is_ready() const {
        return judges() && !judging_.first && (may_write_ || follows());
    }
    [[nodiscard]] bool is_away(const List& list) const {
        return !is_ready() || list.stalled || silent_;
    }
    void evaluate(const Place& place, WriteClass cls, bool just_ended = false);
    void evaluate_place(const Place& place, WriteClass cls, bool just_ended);
    void want_write(const Place& place, const Difference& difference, const Wanted& wanted,
                    WriteClass cls);
    void reconcile(WriteClass cls);
    void judge_some();
    [[nodiscard]] std::vector<Place> places_of_rows() const;
    void check_fill(List& list);
    void update_board(const Place& place, std::uint64_t cover_ms);
    void release(const Place& place, std::uint64_t cover_ms);
    void fail_waiters(const Place& place, std::uint64_t left_by_ms = UINT64_MAX);
    void answers_left(const Place& place);
    void resolve(const Waiter& waiter, bool good);
    void settle(std::uint64_t token, Outcome outcome);
    void settle_away(const List* only);
    void expire_claims();
    void judge_ended_routes();
    [[nodiscard]] bool has_timed_lists(NameIndex name) const;
    void log_inactive_routes();
    [[nodiscard]] std::uint64_t inactive_deadline() const;
    void retry_refusals();
    [[nodiscard]] static ClaimBounds bounds_of(const List& list);
    Claim* raise(List& list, const ClaimKey& key, const Origin& origin, std::uint64_t need_ms,
                 std::uint64_t row_until_ms);
    [[nodiscard]] bool can_be_in_time(const Place& place) const;
    void wait_no_longer(std::uint64_t serial, const List& list,
                        std::span<const AddressBytes> addresses);
    bool claim_address(List& list, const AddressBytes& address, const Origin& origin,
                       std::uint64_t need_ms, std::uint32_t row_life_s, std::uint64_t hold,
                       WriteClass cls);

    RouterConfig config_;
    RouterSink& sink_;
    RouterLink& link_;
    std::uint64_t now_ = 0;
    // The last pause of this process after which unread data may still wait; UINT64_MAX: none.
    std::uint64_t stood_since_ms_ = UINT64_MAX, stood_until_ms_ = 0;
    Trace trace_{now_};
    Session session_;
    RouterCounters counters_;
    std::array<std::uint64_t, kWriteClasses> rows_by_class_{};  // acknowledged
    RowDelays add_delays_;

    std::map<ListId, List> lists_;
    std::vector<Name> names_;
    boost::unordered_flat_map<Place, List*, PlaceHash> persistent_;
    Claims claims_;
    Rows rows_;
    std::size_t most_rows_ = 0;  // no real router has more
    Writer writer_;
    std::vector<Row*> at_place_;                                       // scratch of evaluate()
    boost::unordered_flat_map<Place, Sheltered, PlaceHash> shelters_;  // by prefix
    boost::unordered_flat_set<Place, PlaceHash> ended_prefixes_;       // no longer configured
    boost::unordered_flat_set<Place, PlaceHash> unwelcome_;  // places of claims that were given up
    std::set<Address> own_, own_read_[2];                    // the router's addresses
    std::uint64_t own_ms_ = 0;
    std::array<bool, 2> own_refused_{};
    bool own_addresses_logged_ = false;

    // the fleet
    FleetRole role_;
    std::string fleet_text_, box_text_;  // as in comments
    bool may_write_ = true;              // from the role; precomputed for each claim
    bool superseded_ = false;            // by a higher token, in this term
    bool fenced_ = false;                // our writer row was seen or acknowledged in this session
    std::map<RowId, WriterRow> writer_rows_;
    bool writer_rows_read_ = false;   // in this session
    std::uint32_t writer_print_ = 0;  // the last print that requested them
    std::uint64_t highest_token_ = 0, writer_row_at_ms_ = 0, writing_logged_token_ = 0;
    RowId sent_writer_id_ = 0;         // of the row that is being set; 0: it is being added
    WriterRow sent_writer_row_{};      // its new content
    bool writer_row_refused_ = false;  // and logged
    std::set<std::string> other_fleets_;
    // As a standby: times at which the answers that wait for a place are sent.
    std::set<std::pair<std::uint64_t, Place>> waits_;

    // connection
    RouterState state_ = RouterState::disconnected;
    bool running_ = false, cleaning_ = false, paused_ = false;
    std::uint64_t away_since_ms_ = 0, claims_while_away_ = 0;
    std::string broken_;    // why the session ended within feed()
    std::string greeting_;  // the first received bytes of a connection
    Topic topic_ = Topic::none;
    std::string error_;
    std::string unreachable_;               // last logged cause
    std::uint64_t unreachable_log_ms_ = 0;  // earliest time of a log line about another cause
    bool rows_known_ = false;               // they were read at least once
    std::uint64_t connect_at_ms_ = 0, phase_until_ms_ = 0, attempt_ms_ = 0, down_since_ms_ = 0,
                  synced_ms_ = 0, backoff_ms_ = 0;
    std::uint32_t jitter_;
    std::uint64_t last_seen_ms_ = 0, waiting_since_ms_ = 0, heartbeat_ms_ = 0,
                  answered_ms_ = 0;  // time of sending the last answered heartbeat
    bool heartbeat_out_ = false;
    bool silent_ = false, silence_logged_ = false;  // silent for kNoticeMs, and it was logged
    std::uint64_t silence_logged_ms_ = 0, unknown_logged_ms_ = 0;  // no such log line before
    std::uint64_t unknown_seen_ = 0;                               // number seen in the session
    boost::unordered_flat_map<Tag, Job> jobs_;
    std::array<std::size_t, kJobKinds> job_counts_{};

    // facts about the router itself
    std::string version_, board_;
    std::vector<std::string> lacks_;  // configured features that this version lacks
    std::string lacks_logged_;        // for this version
    bool boot_known_ = false;
    std::int64_t boot_low_ms_ = 0, boot_high_ms_ = 0;
    std::uint64_t uptime_s_ = 0;
    std::optional<std::uint64_t> rtt_ms_;
    std::optional<std::uint64_t> flash_since_reboot_, flash_total_;
    std::optional<FlashSeen> flash_first_;  // in this session

    // reading
    std::uint32_t print_ = 0;
    std::size_t prints_running_ = 0;
    static constexpr std::size_t kTableCount = kTables.size();
    std::array<bool, kTableCount> table_missing_{}, listening_{}, listen_refused_{};
    std::array<std::uint64_t, kTableCount> listen_again_ms_ = [] {
        std::array<std::uint64_t, kTableCount> never{};
        never.fill(UINT64_MAX);
        return never;
    }();
    // Removed while a print of that table, or a script, runs.
    std::array<boost::unordered_flat_set<RowId>, kTableCount> died_;
    bool too_old_logged_ = false;  // for routes
    std::uint64_t reprint_ms_ = UINT64_MAX, reprint_due_ms_ = UINT64_MAX;

    // writing
    std::uint64_t acknowledged_ms_ = 0, flight_since_ms_ = 0, denied_until_ms_ = 0,
                  refusal_log_ms_ = 0;  // earliest time of a log line about another refused row
    Scripts scripts_ = Scripts::off;
    bool scripts_logged_ = false;
    std::size_t scripts_out_ = 0;
    std::set<Place> lookups_;
    bool lookup_out_ = false;
    boost::unordered_flat_map<Place, Refusal, PlaceHash> refusals_;
    std::set<std::pair<std::uint64_t, Place>> retries_;
    std::uint64_t last_retry_ms_ =
        0;                        // time of the last retry of a refused row: retries are spread
    std::string logged_refusal_;  // last logged cause of refused rows

    // probing
    struct Probing {  // a running probe
        Probe probe;
        std::string version;
        bool questions = true;  // false: it only removes rows that another probe left
        std::uint64_t rest_until_ms = 0, limit_ms = 0;
    };
    std::optional<Probing> probing_;
    Transcript transcript_{std::string(kProbeComment)};
    ProbeView probed_;              // the last probe; its transcript is in transcript_
    bool probe_asked_ = false;      // requested by hand
    bool probe_left_rows_ = false;  // a dropped probe left rows
    std::string tried_version_;
    unsigned tries_ = 0;  // automatic probes of that version
    std::uint64_t probe_again_ms_ = 0;
    std::map<std::string, Findings, std::less<>> findings_;  // of versions that were probed here

    Connections connections_;
    // All places, checked in pieces.
    struct {
        bool on = false;
        bool first = false;  // first check of this session, or after a pause: away until it ends
        WriteClass cls = WriteClass::routine;
        std::vector<Place> places;  // places without claims
        std::size_t claims = 0;     // slots that were checked
    } judging_;

    // routes
    std::vector<Place> ended_routes_;  // without a claim, not checked yet
    std::uint64_t ended_routes_ms_ = UINT64_MAX;
    std::uint64_t inactive_ms_ = UINT64_MAX;  // time to log a change of their number
    bool inactive_logged_ = false;

    // others
    std::vector<std::pair<Place, Hand>> hands_;  // these may still turn out to be a flush
    std::uint64_t hands_until_ms_ = UINT64_MAX, flush_until_ms_ = 0, hands_logged_ms_ = 0;
    std::size_t hands_unlogged_ = 0, left_alone_ = 0;
    std::string last_hand_;  // its last change, as text
    // Disabled rows of others that block, not logged yet; and the time to log them.
    std::size_t disabled_unlogged_ = 0;
    std::uint64_t disabled_logged_ms_ = 0;
    std::string last_disabled_;

    // waiting
    std::uint64_t next_hold_ = 1;
    boost::unordered_flat_map<std::uint64_t, Hold> holds_;
    boost::unordered_flat_map<Place, std::vector<Waiter>, PlaceHash> waiters_;
};

}  // namespace steer::routeros
