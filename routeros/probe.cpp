#include "routeros/probe.h"

#include <algorithm>

#include "routeros/time_text.h"

namespace steer::routeros {
namespace {

constexpr std::uint64_t kLifeS = 30, kLongerS = 55, kBriefS = 2;
constexpr std::uint64_t kAskLimitMs = 25'000;       // then its rows are about to expire
constexpr std::uint64_t kReportedWithinMs = 3'000;  // listen, after a row's time
constexpr std::uint64_t kStillThereMs = 1'000;
constexpr std::uint64_t kLeftOverMs = 10'000;  // another writer's probe has ended by then
constexpr std::size_t kMaxLeftOver = 32;
constexpr unsigned kBlocks = 15, kBlockSize = 16;
constexpr std::string_view kTooLong = "36w", kPut = "steerdns probe";

// Of TEST-NET-1 (RFC 5737) and the prefix for documentation (RFC 3849).
Address host(Menu menu, unsigned last_byte) {
    auto bytes = Address::parse(menu, menu == Menu::ip ? "192.0.2.0" : "2001:db8::")->bytes;
    bytes[15] = static_cast<std::uint8_t>(last_byte);
    return Address::host(bytes);
}

// The results for the first and third of three ids, when the second is missing.
Answer several(std::optional<bool> first, std::optional<bool> third, std::string_view message) {
    if (!first || !third) return Answer::unknown;
    if (*first && *third) return Answer::all_others;
    if (*first) return Answer::until_missing;
    if (*third) return Answer::unknown;
    const bool missing = message.empty() || message.find("no such item") != message.npos;
    return missing ? Answer::all_or_nothing : Answer::refused;
}

}  // namespace

// The order matters: rows without timeout are removed before slow steps, and the removals of the first and the third
// row show the result of removing all three.
const Probe::Step Probe::kScript[] = {
    {&Probe::ask_resource, &Probe::judge_nothing, kNone, false},
    {&Probe::ask_rows, &Probe::judge_left_over, kNone, true},
    {&Probe::ask_rows_again, &Probe::judge_still_there, kNone, true},
    {&Probe::ask_remove_left_over, &Probe::judge_left_over_removed, kNone, false},
    {&Probe::ask_add, &Probe::judge_add, kBrief, false},
    {&Probe::ask_add, &Probe::judge_add, kStatic, false},
    {&Probe::ask_static_timeout, &Probe::judge_static_timeout, kStatic, false},
    {&Probe::ask_add, &Probe::judge_add, kZero, false},
    {&Probe::ask_add, &Probe::judge_add, kFirst, false},
    {&Probe::ask_add, &Probe::judge_add, kMissing, false},
    {&Probe::ask_add, &Probe::judge_add, kThird, false},
    {&Probe::ask_add, &Probe::judge_add, kSix, false},
    {&Probe::ask_remove, &Probe::judge_missing_removed, kMissing, false},
    {&Probe::ask_set_several, &Probe::judge_set_several, kNone, false},
    {&Probe::ask_rows, &Probe::judge_rows, kNone, true},
    {&Probe::ask_remove, &Probe::judge_clean_up, kStatic, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kZero, false},
    {&Probe::ask_again, &Probe::judge_again, kDuplicate, false},
    {&Probe::ask_again, &Probe::judge_again, kLong, false},
    {&Probe::ask_again, &Probe::judge_again, kLong6, false},
    {&Probe::ask_no_list, &Probe::judge_no_list, kNoList, false},
    {&Probe::ask_execute, &Probe::judge_execute, kNone, false},
    {&Probe::ask_remove_several, &Probe::judge_remove_several, kNone, false},
    {&Probe::await_brief, &Probe::judge_nothing, kNone, false},
    {&Probe::ask_brief, &Probe::judge_brief, kNone, true},
    {&Probe::ask_remove, &Probe::judge_clean_up, kBrief, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kFirst, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kMissing, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kThird, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kSix, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kDuplicate, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kLong, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kLong6, false},
    {&Probe::ask_remove, &Probe::judge_clean_up, kNoList, false},
};

std::size_t Probe::steps() {
    return std::size(kScript);
}

// From here on no row is added.
std::size_t Probe::clean_up_step() {
    const auto* const first = std::ranges::find_if(
        kScript, [](const Step& s) { return s.judge == &Probe::judge_clean_up; });
    return static_cast<std::size_t>(first - std::begin(kScript));
}

std::optional<Command> Probe::next(std::uint64_t now_ms) {
    now_ms_ = now_ms;
    if (waits_ || now_ms < ready_ms_) return std::nullopt;
    if (step_ < clean_up_step() && is_late()) give_up("it took too long");
    for (; step_ < steps(); ++step_) {
        const Step& step = kScript[step_];
        auto command = (this->*step.ask)(step.spot);
        if (command) {
            waits_ = true;
            asked_ms_ = now_ms;
            if (step.spot != kNone && step.ask == &Probe::ask_add) sent_ms_[step.spot] = now_ms;
            return command;
        }
        if (ready_ms_ > now_ms) return std::nullopt;
    }
    return std::nullopt;
}

// The rows for the questions may expire soon.
bool Probe::is_late() const {
    return began_ms_ != 0 && now_ms_ - began_ms_ > kAskLimitMs;
}

bool Probe::reads() const {
    return step_ < steps() && kScript[step_].reads;
}

void Probe::row(const ReplyRow& row, std::uint64_t now_ms) {
    if (!reads()) return;
    Seen seen;
    seen.id = parse_row_id(row.get(".id").value_or(""));
    seen.ours = row.get("comment").value_or("") == kProbeComment;
    seen.dynamic = row.is_true("dynamic");
    seen.timeout_s = parse_time(row.get("timeout").value_or(""));
    seen.at_ms = now_ms;
    if (const auto where = Address::parse(Menu::ip, row.get("address").value_or(""))) {
        seen.last_byte = *where == host(Menu::ip, where->bytes[15]) ? where->bytes[15] : 0;
    }
    rows_.push_back(seen);
}

void Probe::ended(const Ending& ending, std::uint64_t now_ms) {
    now_ms_ = now_ms;
    if (!waits_) return;
    waits_ = false;
    const Step& step = kScript[step_++];
    if (ending.says("not enough permissions") && step.ask != &Probe::ask_execute) {
        return give_up(ending.message);
    }
    if (step.reads && !ending.ok) return give_up("its list cannot be read: " + ending.message);
    (this->*step.judge)(step.spot, ending);
}

bool Probe::leaves_rows() const {
    const Spot adding = waits_ ? kScript[step_].spot : kNone;
    return !left_over_.empty() || ids_[kStatic] != 0 || ids_[kZero] != 0 || adding == kStatic ||
           adding == kZero;
}

bool Probe::dead(RowId id) {
    const bool removing = waits_ && kScript[step_].spot == kBrief;
    if (id == 0 || id != ids_[kBrief] || removing) return false;
    note(Question::listen_expiry, Answer::reported);
    ids_[kBrief] = 0;
    ready_ms_ = 0;
    return true;
}

// Removes only its own rows.
void Probe::give_up(std::string_view why) {
    if (error_.empty()) error_ = why;
    gave_up_ = true;
    ready_ms_ = 0;
    step_ = std::max(step_, clean_up_step());
}

void Probe::note(Question question, Answer answer, std::string_view text) {
    findings_[question] = {answer, std::string(text)};
}

Menu Probe::menu(Spot spot) {
    return spot == kSix || spot == kLong6 ? Menu::ipv6 : Menu::ip;
}

Address Probe::address(Spot spot) const {
    return host(menu(spot), block_ * kBlockSize + 1 + spot);
}

Command Probe::add(Spot at, std::string_view timeout) const {
    Command command{forms::add_row, menu(at)};
    command.attribute("list", kProbeList).attribute("address", address(at).to_string());
    if (!timeout.empty()) command.attribute("timeout", timeout);
    return command.attribute("comment", kProbeComment);
}

const Probe::Seen* Probe::find(Spot spot) const {
    const auto found = std::ranges::find_if(
        rows_, [&](const Seen& row) { return row.id == ids_[spot] && row.id != 0; });
    return found == rows_.end() ? nullptr : &*found;
}

// --- what is there already -----------------------------------------------------------------------

std::optional<Command> Probe::ask_resource(Spot) {
    return Command{forms::print_resource};
}

std::optional<Command> Probe::ask_rows(Spot) {
    rows_.clear();
    const std::string_view lists[] = {kProbeList};
    return print_groups({Menu::ip}, lists);
}

std::optional<Command> Probe::ask_rows_again(Spot) {
    if (left_over_.empty()) return std::nullopt;
    return ask_rows(kNone);
}

void Probe::judge_left_over(Spot, const Ending&) {
    for (const Seen& row : rows_) {
        if (row.ours && !row.dynamic && !row.timeout_s && left_over_.size() < kMaxLeftOver) {
            left_over_.push_back(row.id);
        }
    }
    if (left_over_.empty()) return choose_addresses();
    ready_ms_ = now_ms_ + kLeftOverMs;
}

void Probe::judge_still_there(Spot, const Ending&) {
    std::erase_if(left_over_, [&](RowId id) {
        return std::ranges::none_of(rows_, [&](const Seen& row) { return row.id == id; });
    });
    choose_addresses();
}

std::optional<Command> Probe::ask_remove_left_over(Spot) {
    if (!left_over_.empty()) return remove_rows({Menu::ip}, {&left_over_.back(), 1});
    if (!ask_.questions) step_ = steps() - 1;
    return std::nullopt;
}

void Probe::judge_left_over_removed(Spot, const Ending&) {
    left_over_.pop_back();
    --step_;
}

void Probe::choose_addresses() {
    for (block_ = 0; block_ < kBlocks; ++block_) {
        const unsigned first = block_ * kBlockSize + 1;
        const bool used = std::ranges::any_of(rows_, [&](const Seen& row) {
            return row.last_byte >= first && row.last_byte < first + kBlockSize;
        });
        if (!used) return;
    }
    give_up("others use all addresses of its list");
}

// --- rows with and without timeout ---------------------------------------------------------------

std::optional<Command> Probe::ask_add(Spot spot) {
    if (began_ms_ == 0) began_ms_ = std::max<std::uint64_t>(now_ms_, 1);
    if (spot == kStatic) return add(spot, "");
    if (spot == kZero) return add(spot, time_text(0));
    return add(spot, time_text(spot == kBrief ? kBriefS : kLifeS));
}

void Probe::judge_add(Spot spot, const Ending& ending) {
    ids_[spot] = parse_row_id(ending.ret);
    if (ending.ok) return;
    if (ending.says("already have such entry")) return give_up("another one uses its addresses");
    if (spot == kZero) return note(Question::zero_timeout, Answer::refused, ending.message);
    const bool needed = spot == kStatic || spot == kFirst || spot == kMissing || spot == kThird;
    if (needed && error_.empty()) error_ = ending.message;
}

std::optional<Command> Probe::ask_static_timeout(Spot spot) {
    if (ids_[spot] == 0) return std::nullopt;
    return set_values({Menu::ip}, {&ids_[spot], 1}, {.timeout_s = kLifeS});
}

void Probe::judge_static_timeout(Spot, const Ending& ending) {
    if (ending.ok)
        static_set_ = true;
    else
        note(Question::static_timeout, Answer::refused, ending.message);
}

// --- several ids, one of them missing ------------------------------------------------------------

std::optional<Command> Probe::ask_remove(Spot spot) {
    if (ids_[spot] == 0) return std::nullopt;
    return remove_rows({menu(spot)}, {&ids_[spot], 1});
}

void Probe::judge_missing_removed(Spot, const Ending& ending) {
    is_missing_ = ending.ok;
}

std::optional<Command> Probe::ask_set_several(Spot) {
    const RowId ids[] = {ids_[kFirst], ids_[kMissing], ids_[kThird]};
    if (!is_missing_ || std::ranges::find(ids, 0U) != std::end(ids)) return std::nullopt;
    return set_values({Menu::ip}, ids, {.timeout_s = kLongerS});
}

void Probe::judge_set_several(Spot, const Ending& ending) {
    set_message_ = ending.message;
}

std::optional<Command> Probe::ask_remove_several(Spot) {
    const RowId ids[] = {ids_[kFirst], ids_[kMissing], ids_[kThird]};
    const bool known = std::ranges::find(ids, 0U) == std::end(ids);
    if (gave_up_ || is_late() || !is_missing_ || !known) return std::nullopt;
    return remove_rows({Menu::ip}, ids);
}

void Probe::judge_remove_several(Spot, const Ending& ending) {
    ids_[kMissing] = 0;
    remove_message_ = ending.message;
}

// A row's countdown, read between the print's request and its reply.
std::optional<bool> Probe::was_prolonged(Spot spot) const {
    const Seen* const row = find(spot);
    if (row == nullptr || !row->timeout_s) return std::nullopt;
    const std::uint64_t left_ms = *row->timeout_s * 1000;
    if (left_ms + (asked_ms_ - sent_ms_[spot]) > (kLifeS + 2) * 1000) return true;
    if (left_ms + (row->at_ms - sent_ms_[spot]) < (kLongerS - 10) * 1000) return false;
    return std::nullopt;
}

void Probe::judge_rows(Spot, const Ending&) {
    if (static_set_) {
        const Seen* const row = find(kStatic);
        const bool timed = row != nullptr && (row->dynamic || row->timeout_s);
        note(Question::static_timeout, row == nullptr ? Answer::unknown
                                       : timed        ? Answer::makes_timed
                                                      : Answer::stays_static);
    }
    if (ids_[kZero] != 0) {
        const Seen* const row = find(kZero);
        const bool timed = row != nullptr && (row->dynamic || row->timeout_s);
        note(Question::zero_timeout, row == nullptr ? Answer::ends_at_once
                                     : timed        ? Answer::timed
                                                    : Answer::no_timeout);
    }
    if (set_message_) {
        note(Question::set_missing,
             several(was_prolonged(kFirst), was_prolonged(kThird), *set_message_), *set_message_);
    }
}

// --- refusals and their words --------------------------------------------------------------------

// These adds never create a row, because the row exists already.
std::optional<Command> Probe::ask_again(Spot spot) {
    const Spot there = spot == kLong6 ? kSix : kFirst;
    if (gave_up_ || ids_[there] == 0) return std::nullopt;
    return add(there, spot == kDuplicate ? time_text(kLifeS) : std::string(kTooLong));
}

void Probe::judge_again(Spot spot, const Ending& ending) {
    ids_[spot] = parse_row_id(ending.ret);
    const auto question = spot == kDuplicate ? Question::duplicate
                          : spot == kLong    ? Question::long_timeout
                                             : Question::long_timeout6;
    const bool as_duplicate = ending.says("already have such entry");
    const bool refused = !ending.ok && (spot == kDuplicate || !as_duplicate);
    note(question, refused ? Answer::refused : Answer::accepted, ending.message);
}

std::optional<Command> Probe::ask_no_list(Spot spot) {
    if (gave_up_) return std::nullopt;
    Command command{forms::add_row};
    command.attribute("address", address(spot).to_string());
    command.attribute("timeout", time_text(kLifeS));
    return command.attribute("comment", kProbeComment);
}

void Probe::judge_no_list(Spot spot, const Ending& ending) {
    ids_[spot] = parse_row_id(ending.ret);
    note(Question::missing_list, ending.ok ? Answer::accepted : Answer::refused, ending.message);
}

std::optional<Command> Probe::ask_execute(Spot) {
    if (gave_up_) return std::nullopt;
    Command command{forms::execute};
    command.attribute("script", ":put \"" + std::string(kPut) + "\"");
    return command.attribute("as-string", "");
}

void Probe::judge_execute(Spot, const Ending& ending) {
    const bool put = ending.ret.find(kPut) != ending.ret.npos;
    note(Question::execute,
         !ending.ok ? Answer::refused
         : put      ? Answer::accepted
                    : Answer::unknown,
         ending.ok ? ending.ret : ending.message);
}

// --- the end -------------------------------------------------------------------------------------

std::optional<Command> Probe::await_brief(Spot) {
    if (!gave_up_ && ask_.listens && ids_[kBrief] != 0) {
        ready_ms_ = std::max(ready_ms_, sent_ms_[kBrief] + kBriefS * 1000 + kReportedWithinMs);
    }
    return std::nullopt;
}

std::optional<Command> Probe::ask_brief(Spot) {
    if (gave_up_ || !ask_.listens || ids_[kBrief] == 0) return std::nullopt;
    return ask_rows(kNone);
}

// A slow router removes a row some seconds after its time, and then reports it.
void Probe::judge_brief(Spot, const Ending&) {
    if (find(kBrief) != nullptr && !is_late()) {
        brief_is_late_ = true;
        ready_ms_ = now_ms_ + kStillThereMs;
        --step_;
    } else if (brief_is_late_ && ids_[kBrief] != 0) {
        ready_ms_ = now_ms_ + kReportedWithinMs;
    }
}

void Probe::judge_clean_up(Spot spot, const Ending& ending) {
    const bool gone = !ending.ok && ending.says("no such item");
    if (!ending.ok && !gone && error_.empty()) error_ = ending.message;
    if (ending.ok || gone) ids_[spot] = 0;
    if (spot == kBrief && gone && ask_.listens && !gave_up_) {
        note(Question::listen_expiry, Answer::not_reported);
    }
    if (spot == kFirst) first_was_removed_ = gone;
    const bool by_itself = now_ms_ - sent_ms_[kFirst] >= (kLifeS - 1) * 1000;
    if (spot != kThird || !remove_message_ || by_itself) return;
    note(Question::remove_missing, several(first_was_removed_, gone, *remove_message_),
         *remove_message_);
}

}  // namespace steer::routeros
