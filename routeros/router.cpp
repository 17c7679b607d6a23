#include "routeros/router.h"

#include <algorithm>

namespace steer::routeros {

namespace {

constexpr std::uint64_t kRetryJitterMs = 750;
constexpr std::uint64_t kPatienceMs = 600'000;  // after this time, backoff
constexpr std::uint64_t kHeartbeatMs = 2'000;
constexpr std::uint64_t kStandstillMs = 3'500;
constexpr std::uint64_t kNoticeMs = 3'000;  // of silence: answers no longer wait for it
constexpr std::uint64_t kBusyTimes =
    6;  // a router that prints or writes may be silent this many times longer
constexpr std::uint64_t kSilenceLogMs = 60'000, kUnknownLogMs = 600'000, kUnreachableLogMs = 60'000;
// Rows that are kept of one router: about 100 MB. More where lists may have more.
constexpr std::size_t kMaxRows = 250'000, kMaxRowsTimes = 4;
constexpr std::uint64_t kStallTimeouts = 3;

// Recognises a peer that is not the API: the API's first word is short and begins with '!'.
std::optional<std::string> stranger(std::string_view bytes) {
    if (bytes.size() < 2 || bytes[1] == '!' || bytes[0] < 1) return std::nullopt;
    if (bytes.starts_with("\x15\x03")) return "it speaks TLS";
    const auto* const end = std::find_if(bytes.begin(), bytes.end(),
                                         [](char c) { return c < 0x20 || c > 0x7e || c == '"'; });
    if (end == bytes.end() && bytes.size() < 8) return std::nullopt;  // wait for more bytes
    const std::string_view text = bytes.substr(0, static_cast<std::size_t>(end - bytes.begin()));
    if (text.size() < 4) return "its bytes are not the API's";
    return "it says \"" + std::string(text) + "\"";
}

std::uint32_t seed_of(std::string_view text) {
    std::uint32_t h = 2166136261U;
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
    return h;
}

}  // namespace

Router::Router(RouterConfig config, RouterSink& sink, RouterLink& link)
    : config_(std::move(config)),
      sink_(sink),
      link_(link),
      session_(*this, {}, &trace_),
      writer_(config_.repair_share, config_.routine_share),
      jitter_(seed_of(config_.name)) {
    trace_.copy_to(transcript_);
    take_lists();
}

// Lists that stay keep their epoch and whether they are away.
void Router::take_lists() {
    std::map<ListId, List> before;
    before.swap(lists_);
    const auto names_before = std::exchange(names_, {});
    const auto prefixes_before = std::exchange(persistent_, {});
    const auto ended_before = std::exchange(ended_prefixes_, {});
    unwelcome_.clear();
    shelters_.clear();
    std::size_t most_claims = 0;
    std::uint32_t batch_ms = Writer::kBatchMs;
    for (const auto& config : config_.lists) {
        List& list = lists_[config.id];
        const auto old = before.find(config.id);
        if (old != before.end()) list = old->second;
        list.config = config;
        most_claims += config.max_rows + config.persistent.size();
        // Half: an answer that finds as much in flight has the other half for its own row.
        batch_ms = std::min(batch_ms, std::max(config.sync_timeout_ms / 2, 10U));
    }
    writer_.set_batch_ms(batch_ms);
    most_rows_ = std::max(kMaxRows, kMaxRowsTimes * most_claims);
    const auto use = [&](List& list, Menu menu,
                         const std::string& text) -> std::optional<NameIndex> {
        if (text.empty()) return std::nullopt;
        const Table table{menu, list.config.type};
        auto index = find_name(table, text);
        if (!index) {
            index = static_cast<NameIndex>(names_.size());
            Name& name = names_.emplace_back();
            name.table = table, name.text = text;
            name.values.properties = menu == Menu::ip ? list.config.values4 : list.config.values6;
            for (const auto& old : names_before) {
                if (old.table != table || old.text != text) continue;
                name.others_ms = old.others_ms;
                name.lost_logged_ms = old.lost_logged_ms;
            }
        }
        names_[*index].users.push_back(&list);
        names_[*index].is_guarded |= list.config.connection_guard;
        return index;
    };
    for (auto& [id, list] : lists_) {
        list.name4 = use(list, Menu::ip, list.config.list4);
        list.name6 = use(list, Menu::ipv6, list.config.list6);
        for (const auto& address : list.config.persistent) {
            const auto name = list.name(address.menu());
            if (name) persistent_.emplace(place_at(*name, address), &list);
        }
    }
    const auto has_ended = [&](const Place& old) {
        if (old.address.is_host()) return;
        const auto name = find_name(names_before[old.name].table, names_before[old.name].text);
        if (name && !persistent_.contains(place_at(*name, old.address)))
            ended_prefixes_.insert(place_at(*name, old.address));
    };
    for (const auto& [place, list] : prefixes_before)
        has_ended(place);
    for (const Place& place : ended_before)
        has_ended(place);
    const auto note_length = [&](const Place& place) {
        auto& lengths = names_[place.name].prefixes;
        const std::uint8_t length = place.address.prefix;
        if (!place.address.is_host() && std::ranges::find(lengths, length) == lengths.end())
            lengths.push_back(length);
    };
    for (const auto& [place, list] : persistent_)
        note_length(place);
    for (const Place& place : ended_prefixes_)
        note_length(place);
    for (auto& name : names_) {
        std::ranges::sort(name.prefixes, std::greater<>{});
        if (may_others_write(name)) name.others_ms = 0;
    }
    respect_no_more();
    for (const auto& old : before) {
        const ListId id = old.first;
        if (lists_.contains(id)) continue;
        claims_.for_each([&](const Claim& claim) {
            if (claim.key.list != id) return;
            if (claim.left_alone) --left_alone_;
            // No answer uses the list any more.
            if (claim.board_until_s != 0) sink_.ended(id, claim.key.address.bytes);
        });
        claims_.drop_list(id);
    }
}

Router::List* Router::find_list(ListId id) {
    const auto found = lists_.find(id);
    return found == lists_.end() ? nullptr : &found->second;
}

std::string Router::who() const {
    const bool once = config_.address.empty() || config_.address == config_.name;
    return "router " + config_.name + (once ? "" : " at " + config_.address);
}

void Router::say(Level level, Topic topic, const std::string& sentence) {
    error_ = level == Level::info ? std::string{} : sentence;
    if (topic == topic_) return;
    topic_ = topic;
    log_line(level, sentence);
}

void Router::log_line(Level level, const std::string& sentence) {
    if (level != Level::info) trace_.error(sentence);
    sink_.log(level, sentence);
}

// --- entries -------------------------------------------------------------------------------------

// The time of a call. Heartbeats need one every 2 s: if there was none for longer, this process was
// suspended, and unread data is as old as that.
void Router::go_on_at(std::uint64_t now_ms) {
    if (now_ != 0 && now_ms > now_ + kStandstillMs) {
        stood_since_ms_ = std::min(stood_since_ms_, now_);
        stood_until_ms_ = now_ms;
    }
    now_ = now_ms;
}

void Router::start(std::uint64_t now_ms) {
    go_on_at(now_ms);
    running_ = true;
    cleaning_ = false;
    down_since_ms_ = now_;
    connect_at_ms_ = now_;
    notify_away();
    run();
}

void Router::stop(std::uint64_t now_ms) {
    go_on_at(now_ms);
    running_ = false;
    if (!is_down()) link_.close();
    drop_session();
}

void Router::hurry(std::uint64_t now_ms) {
    go_on_at(now_ms);
    writer_.set_shares(config_.repair_share, config_.repair_share);
    run();
}

void Router::configure(RouterConfig config, std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (!is_down()) link_.close();
    drop_session();
    rows_.clear();
    rows_known_ = false;
    connections_.clear();
    config_ = std::move(config);
    writer_.set_shares(config_.repair_share, config_.routine_share);
    take_lists();
    topic_ = Topic::none;
    connect_at_ms_ = now_;
    run();
}

void Router::connected(std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (state_ != RouterState::connecting) return;
    session_.reset();
    greeting_.clear();
    session_.login(config_.username, config_.password);
    enter(RouterState::logging_in);
    phase_until_ms_ = now_ + kLoginLimitMs;
    last_seen_ms_ = now_;
    run();
}

void Router::received(std::string_view bytes, std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (is_down() || state_ == RouterState::connecting) return;
    counters_.bytes_in += bytes.size();
    note_activity();
    if (state_ == RouterState::logging_in && !listens_to(bytes)) return run();
    session_.feed(bytes);
    note_unknown_sentences();
    run();
}

// False: the peer is not a router's API.
bool Router::listens_to(std::string_view bytes) {
    constexpr std::size_t kGreetingBytes = 40;
    if (greeting_.size() >= kGreetingBytes) return true;
    greeting_.append(bytes.substr(0, kGreetingBytes - greeting_.size()));
    const auto what = stranger(greeting_);
    if (!what) return true;
    lose_stranger(*what);
    return false;
}

void Router::closed(std::string_view why, std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (is_down()) return;
    if (state_ == RouterState::connecting) {
        // A different reason is logged, at most once a minute.
        if (topic_ == Topic::unreachable && unreachable_ != why && now_ >= unreachable_log_ms_) {
            topic_ = Topic::none;
        }
        if (topic_ != Topic::unreachable) {
            unreachable_ = why;
            unreachable_log_ms_ = now_ + kUnreachableLogMs;
        }
        const std::string advice =
            why.starts_with("TLS:") ? "check `tls` of this router (ca, pin, anonymous), that the "
                                      "port is that of /ip/service api-ssl, and its certificate"
                                    : "check its address, that /ip/service api (or api-ssl) is "
                                      "enabled, and that `address` there allows this host";
        say(Level::warning, Topic::unreachable,
            who() + " cannot be reached (" + std::string{why} + "): answers go on without it; " +
                advice);
    } else if (state_ == RouterState::logging_in) {
        say(Level::warning, Topic::unreachable,
            who() + " ended the connection before the login (" + std::string{why} +
                "): check that its port is that of /ip/service api (api-ssl needs `tls`), and that "
                "`address` there allows this host");
    } else {
        say(Level::warning, Topic::lost,
            who() + " ended the connection (" + std::string{why} + "): connecting again");
    }
    const bool was_synced = state_ == RouterState::in_sync;
    drop_session();
    schedule_connect(was_synced && now_ - synced_ms_ > 5'000 ? 0 : retry_delay());
    run();
}

void Router::tick(std::uint64_t now_ms) {
    go_on_at(now_ms);
    run();
}

void Router::run() {
    check_phase();
    check_sending();
    check_silence();
    expire_claims();
    retry_refusals();
    check_stall();
    log_manual_changes();
    log_disabled_rows();
    log_lost_rows();
    log_inactive_routes();
    waits_unserved();
    if (state_ == RouterState::in_sync) {
        check_writer_row();
        judge_some();
        judge_ended_routes();
        end_second_writers();
        heartbeat();
        maybe_reprint();
        listen_again();
        ask_own_addresses();
        if (!paused_ && may_write_) {
            pump();
            send_lookups();
            maybe_probe();
            repair_connections();
        }
    }
    flush();
    if (!broken_.empty()) {
        const std::string why = std::exchange(broken_, {});
        if (session_.flooded()) return lose_flooding(why);
        if (state_ == RouterState::logging_in) return lose_stranger(why);
        lose(why, Topic::lost, retry_delay());
    }
}

void Router::flush() {
    const std::string bytes = session_.take_output();
    if (bytes.empty()) return;
    counters_.bytes_out += bytes.size();
    link_.send(bytes);
}

// --- connection ----------------------------------------------------------------------------------

void Router::begin_connect() {
    enter(RouterState::connecting);
    ++counters_.connection_attempts;
    attempt_ms_ = now_;
    phase_until_ms_ = now_ + kConnectLimitMs;
    link_.connect();
}

void Router::schedule_connect(std::uint64_t delay_ms) {
    connect_at_ms_ = now_ + delay_ms;
}

// Every 1 to 2 s for ten minutes, counted from the attempt; then doubling up to a minute.
std::uint64_t Router::retry_delay() {
    jitter_ = jitter_ * 1664525U + 1013904223U;
    std::uint64_t wish = kRetryMs + (jitter_ >> 16) % kRetryJitterMs;
    if (now_ - down_since_ms_ > kPatienceMs) {
        backoff_ms_ = std::min(std::max(backoff_ms_ * 2, 2 * kRetryMs), kLongestBackoffMs);
        wish += backoff_ms_;
    } else {
        backoff_ms_ = 0;
    }
    const std::uint64_t spent = now_ - attempt_ms_;
    return spent + 200 < wish ? wish - spent : 200;
}

// Ends the session; the reason is logged once.
void Router::lose(std::string_view why, Topic topic, std::uint64_t retry_ms) {
    link_.close();
    say(topic == Topic::lost ? Level::warning : Level::error, topic,
        topic == Topic::lost ? who() + ": " + std::string{why} + ": connecting again"
                             : std::string{why});
    drop_session();
    schedule_connect(retry_ms);
}

void Router::lose_stranger(const std::string& what) {
    lose(who() + " is not a RouterOS API (" + what +
             "): answers go on without it; check its address, and that its port is that of "
             "/ip/service api, or with `tls` of api-ssl; tried again every 30 s",
         Topic::stranger, kRefusedRetryMs);
}

// Frees all data from it: a peer that does this repeatedly costs no more than once.
void Router::lose_flooding(const std::string& what) {
    ++counters_.floods;
    lose(who() + " is unusable (" + what +
             "): answers go on without it; check that it is your router, and what else writes "
             "to our lists; tried again every 10 min",
         Topic::unusable, kUnusableMs);
    rows_ = Rows{};
    for (auto& died : died_)
        died = {};
    enter(RouterState::unusable);
}

// After any end of a session: all knowledge is void, no answer waits.
void Router::drop_session() {
    const bool was_synced = state_ == RouterState::in_sync;
    if (state_ > RouterState::logging_in) {
        ++counters_.disconnects;
        down_since_ms_ = now_;
    }
    enter(RouterState::disconnected);
    trace_.lost("the session ended");
    drop_probe("the session ended");
    session_.reset();
    broken_.clear();
    jobs_.clear();
    job_counts_ = {};
    writer_.clear();
    writer_.set_measuring(true);
    lookups_.clear();
    lookup_out_ = heartbeat_out_ = silent_ = silence_logged_ = false;
    stood_since_ms_ = UINT64_MAX;
    prints_running_ = 0;
    connections_.session(now_);
    judging_ = {};
    shelters_.clear();
    forget_writer_rows();
    own_ms_ = 0;
    own_refused_ = {};
    forget_hands();
    listening_ = {};
    for (auto& died : died_)
        died.clear();
    flash_first_.reset();
    scripts_ = Scripts::off;
    scripts_out_ = 0;
    writer_.set_scripts(false);
    refusals_.clear();
    retries_.clear();
    reprint_ms_ = reprint_due_ms_ = UINT64_MAX;
    ended_routes_.clear();  // all are judged once the rows are read
    ended_routes_ms_ = UINT64_MAX;
    notify_away();
    settle_away(nullptr);
    if (was_synced) begin_epoch();
}

// The times on the row board are void.
void Router::begin_epoch() {
    for (auto& [id, list] : lists_) {
        ++list.epoch;
        sink_.epoch(id);
    }
}

void Router::check_phase() {
    switch (state_) {
        case RouterState::disconnected:
        case RouterState::unusable:
            if (running_ && now_ >= connect_at_ms_) begin_connect();
            break;
        case RouterState::connecting:
            if (now_ < phase_until_ms_) break;
            link_.close();
            closed("no answer", now_);
            break;
        case RouterState::logging_in:
            if (now_ < phase_until_ms_) break;
            // A peer that was in sync hangs; any other may not even be a router.
            if (topic_ == Topic::lost)
                return lose("it does not answer the login", Topic::lost, retry_delay());
            lose(who() +
                     " does not answer the login: answers go on without it; check that its port is "
                     "that of /ip/service api (api-ssl needs `tls`), or reboot it",
                 Topic::unreachable, retry_delay());
            break;
        case RouterState::reading:  // silence_deadline() handles these states
        case RouterState::in_sync:
            break;
    }
}

void Router::on_login(const Ending& ending) {
    if (ending.ok) {
        ++counters_.connects;
        error_.clear();  // the log says that it is over once its rows are read
        begin_reading();
        return;
    }
    ++counters_.login_failures;
    lose(who() + " refuses user " + config_.username + " (" + ending.message +
             "): check username and password, and that its group has the policy api; tried again "
             "every 30 s",
         Topic::login, kRefusedRetryMs);
}

void Router::on_broken(std::string_view reason) {
    broken_ = reason.empty() ? "the session ended" : std::string{reason};
}

// --- signs of life -------------------------------------------------------------------------------

void Router::heartbeat() {
    if (heartbeat_out_ || now_ < heartbeat_ms_ + kHeartbeatMs) return;
    heartbeat_ms_ = now_;
    heartbeat_out_ = true;
    submit(print(forms::print_resource), {JobKind::resource});
}

void Router::note_activity() {
    const std::uint64_t silent_ms = now_ - last_seen_ms_;
    last_seen_ms_ = now_;
    if (!std::exchange(silent_, false)) return;
    notify_away();
    if (!std::exchange(silence_logged_, false)) return;
    log_line(Level::info,
             who() + " answers again after " + std::to_string(silent_ms / 1000) + " s");
}

std::uint64_t Router::sending_deadline() const {
    const auto since_ms = is_down() ? std::nullopt : link_.unsent_since_ms();
    return since_ms ? *since_ms + config_.send_timeout_ms : UINT64_MAX;
}

void Router::check_sending() {
    if (now_ < sending_deadline()) return;
    lose("it has accepted no data for " + std::to_string(config_.send_timeout_ms) +
             " ms (`send_timeout`)",
         Topic::lost, retry_delay());
}

std::uint64_t Router::silence_deadline() const {
    if (state_ < RouterState::reading) return UINT64_MAX;
    const std::size_t due = jobs_.size() - jobs(JobKind::listen);
    if (due == 0) return UINT64_MAX;
    const bool busy = due > jobs(JobKind::resource) + jobs(JobKind::probe);
    return std::max(last_seen_ms_, waiting_since_ms_) +
           (busy ? kBusyTimes : 1) * config_.receive_timeout_ms;
}

// A print may keep a router silent for long; a write or a heartbeat does not.
std::uint64_t Router::notice_deadline() const {
    if (silent_ || state_ != RouterState::in_sync) return UINT64_MAX;
    const bool is_asked =
        jobs(JobKind::write) + jobs(JobKind::resource) + jobs(JobKind::writer_row) > 0;
    const bool prints = prints_running() || jobs(JobKind::connections) > 0;
    if (!is_asked || prints) return UINT64_MAX;
    return std::max(last_seen_ms_, waiting_since_ms_) +
           std::min<std::uint64_t>(kNoticeMs, config_.receive_timeout_ms);
}

void Router::check_silence() {
    if (now_ >= silence_deadline()) {
        return lose(
            "it has been silent for " + std::to_string((now_ - last_seen_ms_) / 1000) + " s",
            Topic::lost, retry_delay());
    }
    if (now_ < notice_deadline()) return;
    silent_ = true;
    settle_away(nullptr);
    notify_away();
    if (jobs(JobKind::write) == 0 || now_ < silence_logged_ms_) return;
    silence_logged_ms_ = now_ + kSilenceLogMs;
    silence_logged_ = true;
    log_line(
        Level::warning,
        who() + " has been silent for " + std::to_string((now_ - last_seen_ms_) / 1000) +
            " s while rows are being written: answers go on without it; connecting again if it "
            "says nothing for " +
            std::to_string(kBusyTimes * config_.receive_timeout_ms / 1000) +
            " s (six times `receive_timeout`)");
}

void Router::note_unknown_sentences() {
    const std::uint64_t seen = session_.unknown_sentences();
    if (seen == unknown_seen_) return;
    counters_.unknown_sentences += seen - std::exchange(unknown_seen_, seen);
    if (now_ < unknown_logged_ms_) return;
    unknown_logged_ms_ = now_ + kUnknownLogMs;
    log_line(Level::warning, who() + " sent \"" + session_.last_unknown() +
                                 "\", which is not understood: ignored and counted "
                                 "(`unknown_sentences`); report it with the version of RouterOS");
}

std::uint64_t Router::stall_deadline(const List& list) const {
    if (state_ != RouterState::in_sync || writer_.sentences_in_flight() == 0 || !may_write_)
        return UINT64_MAX;
    return std::max(acknowledged_ms_, flight_since_ms_) +
           kStallTimeouts * std::max(list.config.sync_timeout_ms, 1U);
}

void Router::check_stall() {
    bool changed = false;
    for (auto& [id, list] : lists_) {
        if (list.stalled || now_ < stall_deadline(list)) continue;
        list.stalled = changed = true;
        settle_away(&list);
    }
    if (changed) notify_away();
}

void Router::notify_away() {
    const bool any =
        !is_ready() || silent_ ||
        std::any_of(lists_.begin(), lists_.end(), [](const auto& l) { return l.second.stalled; });
    if (any && away_since_ms_ == 0) {
        away_since_ms_ = std::max<std::uint64_t>(now_, 1);
        claims_while_away_ = 0;
    }
    if (!any) away_since_ms_ = 0;
    for (auto& [id, list] : lists_) {
        const bool away = is_away(list);
        if (away == list.notified_away) continue;
        list.notified_away = away;
        sink_.away(id, away);
    }
}

std::uint64_t Router::next_deadline() const {
    std::uint64_t next = std::min(
        {claims_.next_expiry_ms(), hands_deadline(), disabled_deadline(), lost_deadline()});
    if (!retries_.empty()) next = std::min(next, retries_.begin()->first);
    if (!waits_.empty()) next = std::min(next, waits_.begin()->first);
    switch (state_) {
        case RouterState::disconnected:
        case RouterState::unusable:
            return running_ ? std::min(next, connect_at_ms_) : next;
        case RouterState::connecting:
        case RouterState::logging_in:
            return std::min({next, phase_until_ms_, sending_deadline()});
        case RouterState::reading:
        case RouterState::in_sync:
            break;
    }
    next = std::min({next, silence_deadline(), notice_deadline(), sending_deadline()});
    if (state_ != RouterState::in_sync) return next;
    if (judging_.on) return now_;
    next = std::min({next, ended_routes_ms_, inactive_deadline(), writer_row_deadline()});
    for (const auto& name : names_)
        next = std::min(next, others_end_ms(name));
    if (!heartbeat_out_) next = std::min(next, heartbeat_ms_ + kHeartbeatMs);
    if (!prints_running()) next = std::min(next, reprint_ms_);
    if (!prints_running() && !writer_.has_held()) next = std::min(next, own_ms_);
    next = std::min(next, *std::ranges::min_element(listen_again_ms_));
    if (denied_until_ms_ > now_)
        next = std::min(next, denied_until_ms_);
    else if (!paused_ && may_write_)
        next = std::min({next, writer_.next_ready_ms(now_), probe_deadline()});
    if (may_read_connections()) {
        next = std::min(next, connections_.next_ms(writer_.places() == 0));
    }
    for (const auto& [id, list] : lists_) {
        if (!list.stalled) next = std::min(next, stall_deadline(list));
    }
    return next;
}

}  // namespace steer::routeros
