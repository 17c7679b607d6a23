#include "routeros/menu_reader.h"

#include <algorithm>
#include <utility>

namespace steer::routeros {
namespace {

constexpr std::uint64_t kReadAgainMs = 600'000, kRefusedPollMs = 30'000;
constexpr std::uint64_t kSettleMs = 500;     // a router that comes back reports many rows at once
constexpr std::uint64_t kBeatMs = 20'000;    // after this silence a heartbeat is sent
constexpr std::uint64_t kAnswerMs = 30'000;  // within this time a reply or the next row must come

}  // namespace

MenuReader::MenuReader(ReaderConfig config, std::string_view what, RouterLink& link)
    : config_(std::move(config)), what_(what), link_(link), session_(*this) {}

std::string MenuReader::who() const {
    const bool once = config_.address.empty() || config_.address == config_.name;
    return "router " + config_.name + (once ? "" : " at " + config_.address);
}

// ---- entries

void MenuReader::start(std::uint64_t now_ms) {
    now_ = now_ms;
    running_ = true;
    connect_at_ms_ = now_;
    run();
}

void MenuReader::stop(std::uint64_t now_ms) {
    now_ = now_ms;
    running_ = false;
    if (state_ != RouterState::disconnected) link_.close();
    end_session(0);
}

void MenuReader::follow(ReaderConfig config, std::vector<Follow> menus, std::uint64_t now_ms) {
    now_ = now_ms;
    if (state_ != RouterState::disconnected) link_.close();
    config_ = std::move(config);
    menus_.clear();
    for (Follow& one : menus)
        menus_.push_back({std::move(one)});
    error_.clear();
    end_session(0);
    failures_ = 0;
    run();
}

void MenuReader::connected(std::uint64_t now_ms) {
    now_ = last_seen_ms_ = now_ms;
    if (state_ != RouterState::connecting) return;
    state_ = RouterState::logging_in;
    phase_until_ms_ = now_ + kLoginLimitMs;
    session_.login(config_.username, config_.password);
    run();
}

void MenuReader::received(std::string_view bytes, std::uint64_t now_ms) {
    now_ = last_seen_ms_ = now_ms;
    if (state_ < RouterState::logging_in) return;
    session_.feed(bytes);
    run();
}

void MenuReader::closed(std::string_view why, std::uint64_t now_ms) {
    now_ = now_ms;
    if (state_ == RouterState::disconnected) return;
    complain(
        (state_ == RouterState::connecting ? "cannot be reached (" : "ended the connection (") +
        std::string(why) + ")");
    end_session(backoff_ms());
}

void MenuReader::tick(std::uint64_t now_ms) {
    now_ = now_ms;
    run();
}

void MenuReader::run() {
    if (running_ && state_ == RouterState::disconnected && now_ >= connect_at_ms_) begin_connect();
    const bool is_setting_up =
        state_ == RouterState::connecting || state_ == RouterState::logging_in;
    if (is_setting_up && now_ >= phase_until_ms_) give_up("does not answer", backoff_ms());
    if (state_ >= RouterState::reading) check_alive();
    if (state_ == RouterState::in_sync && now_ >= next_print()) begin_prints();
    if (now_ >= notify_at_ms_) {
        notify_at_ms_ = UINT64_MAX;
        notify();
    }
    if (lost_) {
        link_.close();
        complain(lost_->why);
        return end_session(lost_->retry_ms);
    }
    if (const std::string out = session_.take_output(); !out.empty()) link_.send(out);
}

std::uint64_t MenuReader::next_deadline() const {
    switch (state_) {
        case RouterState::disconnected:
        case RouterState::unusable:
            return running_ ? std::min(notify_at_ms_, connect_at_ms_) : notify_at_ms_;
        case RouterState::connecting:
        case RouterState::logging_in:
            return std::min(notify_at_ms_, phase_until_ms_);
        case RouterState::reading:
            return std::min(notify_at_ms_, last_seen_ms_ + silent_ms());
        case RouterState::in_sync:
            return std::min({notify_at_ms_, next_print(), last_seen_ms_ + silent_ms()});
    }
    return notify_at_ms_;
}

// ---- the session

void MenuReader::begin_connect() {
    state_ = RouterState::connecting;
    phase_until_ms_ = now_ + kConnectLimitMs;
    link_.connect();
}

std::uint64_t MenuReader::backoff_ms() const {
    return std::min(kRetryMs << std::min(failures_, 6U), kLongestBackoffMs);
}

void MenuReader::give_up(std::string why, std::uint64_t retry_ms) {
    if (!lost_) lost_ = Lost{std::move(why), retry_ms};
}

// The known rows stay.
void MenuReader::end_session(std::uint64_t retry_ms) {
    state_ = RouterState::disconnected;
    session_.reset();
    lost_.reset();
    beat_ = 0;
    for (Followed& menu : menus_) {
        menu.printed.clear();
        menu.print = menu.listen = 0;
        menu.print_at_ms = UINT64_MAX;
        menu.was_read = menu.refuses_listen = menu.is_missing = false;
    }
    ++failures_;
    connect_at_ms_ = now_ + retry_ms;
}

// Logs the same error only once.
void MenuReader::complain(const std::string& why) {
    if (why == error_) return;
    error_ = why;
    log(Level::warning, who() + " " + why + ": its last known " + std::string(what_) +
                            " stay in use; it is tried again");
}

void MenuReader::on_login(const Ending& ending) {
    if (!ending.ok) {
        return give_up("refuses user " + config_.username + " (" + ending.message +
                           "; check username and password)",
                       kRefusedRetryMs);
    }
    state_ = RouterState::reading;
    begin_prints();
}

void MenuReader::on_broken(std::string_view reason) {
    if (session_.flooded())
        return give_up("is unusable (" + std::string(reason) + ")", kUnusableMs);
    give_up("ended the session (" + std::string(reason) + ")", backoff_ms());
}

bool MenuReader::is_printing() const {
    return std::ranges::any_of(menus_, [](const Followed& m) { return m.print != 0; });
}

std::uint64_t MenuReader::next_print() const {
    std::uint64_t next = UINT64_MAX;
    for (const Followed& menu : menus_)
        next = std::min(next, menu.print != 0 ? UINT64_MAX : menu.print_at_ms);
    return next;
}

std::uint64_t MenuReader::silent_ms() const {
    return beat_ != 0 || is_printing() ? kAnswerMs : kBeatMs;
}

void MenuReader::check_alive() {
    if (now_ < last_seen_ms_ + silent_ms()) return;
    if (beat_ != 0 || is_printing()) return give_up("is silent", backoff_ms());
    beat_ = session_.send(Command(forms::print_identity));
    last_seen_ms_ = now_;  // its time starts now
}

// ---- rows

void MenuReader::begin_prints() {
    for (Followed& menu : menus_) {
        const bool is_due = state_ == RouterState::reading || now_ >= menu.print_at_ms;
        if (is_due && !menu.is_missing && menu.print == 0) begin_print(menu);
    }
}

// Listen before print, so that changes during the print are reported. Without .proplist, which might hide that a row is dead.
void MenuReader::begin_print(Followed& menu) {
    if (menu.follow.listen && menu.listen == 0 && !menu.refuses_listen)
        menu.listen = session_.send(*menu.follow.listen, Session::Reply::endless);
    menu.printed.clear();
    menu.print = session_.send(menu.follow.print);
    menu.print_at_ms = now_ + (!menu.follow.listen ? menu.follow.poll_ms
                               : menu.listen != 0  ? kReadAgainMs
                                                   : kRefusedPollMs);
}

void MenuReader::on_row(Tag tag, const ReplyRow& row) {
    for (std::size_t at = 0; at < menus_.size(); ++at) {
        if (tag == menus_[at].print || tag == menus_[at].listen) apply(at, row);
    }
}

void MenuReader::apply(std::size_t at, const ReplyRow& row) {
    Followed& menu = menus_[at];
    const auto text = row.get(".id");
    const RowId id = text ? parse_row_id(*text) : RowId{1};
    if (id == 0) return;
    if (row.is_true(".dead")) {
        if (drop(at, id)) changed();
        return;
    }
    if (menu.print != 0) menu.printed.insert(id);
    if (menu.printed.size() > menu.follow.max_rows) {
        return session_.refuse_more("more than " + std::to_string(menu.follow.max_rows) + " " +
                                    std::string(what_));
    }
    if (take(at, id, row)) changed();
}

void MenuReader::changed() {
    if (state_ == RouterState::in_sync) notify_at_ms_ = std::min(notify_at_ms_, now_ + kSettleMs);
}

void MenuReader::on_end(Tag tag, const Ending& ending) {
    if (tag == beat_) beat_ = 0;
    for (std::size_t at = 0; at < menus_.size(); ++at) {
        if (tag == menus_[at].print) end_print(at, ending);
        if (tag == menus_[at].listen) end_listen(menus_[at], ending);
    }
}

void MenuReader::end_print(std::size_t at, const Ending& ending) {
    Followed& menu = menus_[at];
    menu.print = 0;
    if (!ending.ok) {
        if (!menu.follow.may_be_missing || !ending.says("no such command")) {
            return give_up("does not list its " + std::string(what_) + " (" + ending.message +
                               "; its user needs the policies api and read)",
                           kRefusedRetryMs);
        }
        menu.is_missing = true;
        menu.print_at_ms = UINT64_MAX;
    }
    if (keep_only(at, menu.printed)) changed();
    menu.printed.clear();
    menu.was_read = true;
    const bool all_read = std::ranges::all_of(menus_, [](const Followed& m) { return m.was_read; });
    if (state_ == RouterState::in_sync || !all_read) return;
    state_ = RouterState::in_sync;
    failures_ = 0;
    if (!std::exchange(error_, {}).empty())
        log(Level::info, who() + " lists its " + std::string(what_) + " again");
    notify_at_ms_ = now_;
}

void MenuReader::end_listen(Followed& menu, const Ending& ending) {
    menu.listen = 0;
    menu.refuses_listen = !ending.ok && !ending.says("interrupted");
    menu.print_at_ms = std::min(menu.print_at_ms, now_ + kRefusedPollMs);
}

}  // namespace steer::routeros
