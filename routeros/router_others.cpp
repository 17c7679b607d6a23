// Changes of our rows by others: an unconfigured second writer, and manual changes.
#include <algorithm>

#include "routeros/router.h"

namespace steer::routeros {

namespace {

// Commands of an earlier session may still take effect.
constexpr std::uint64_t kAfterSyncMs = 30'000;
// Without a foreign write for this time the second writer counts as stopped.
constexpr std::uint64_t kQuietMs = 10 * 60'000;
// Clocks drift, and a report of listen may be older than our own last write.
constexpr std::uint64_t kDriftMs = 5'000;
// More rows than this, within this time, are not a manual change but a flush.
constexpr std::size_t kHandful = 8;
constexpr std::uint64_t kHandMs = 2'000;
constexpr std::uint64_t kHandsLogMs = 60'000;

}  // namespace

// A row from the router, before it is stored; `known` is its old state, if it was known.
void Router::notice(const Row* known, const Row& row) {
    if (state_ != RouterState::in_sync) return;
    if (known != nullptr && known->place != row.place) return;
    notice_writer(known, row);
    if (known != nullptr) notice_hand(*known, row);
}

// --- a second writer -----------------------------------------------------------------------------

bool Router::may_others_write(const Name& name) const {
    return std::any_of(name.users.begin(), name.users.end(),
                       [](const List* list) { return list->config.multi_writer; });
}

// Only a row that we did not write, and that ends later than all that we wrote or saw there,
// shows a second writer.
void Router::notice_writer(const Row* known, const Row& row) {
    if (row.owner != Owner::ours || row.kind != RowKind::dynamic || row.gone_ms == kForever) return;
    if (now_ < synced_ms_ + kAfterSyncMs || writer_.in_flight(row.place)) return;
    if (lookup_out_ || lookups_.contains(row.place)) return;
    if (known != nullptr && (known->owner != Owner::ours || known->gone_ms == kForever ||
                             row.until_ms <= known->gone_ms + kDriftMs))
        return;
    Name& name = names_[row.place.name];
    if (may_others_write(name)) return;
    ++counters_.writes_of_others;
    if (std::exchange(name.others_ms, now_) != 0) return;
    log_line(Level::warning,
             who() + ": list " + name.text + " has a second writer (" +
                 row.place.address.to_string() +
                 (known == nullptr ? " appeared" : " got a longer timeout") +
                 "): set `multi_writer: true` on all writers, or stop the other one");
}

std::uint64_t Router::others_end_ms(const Name& name) const {
    return name.others_ms == 0 ? UINT64_MAX : std::max(name.others_ms, synced_ms_) + kQuietMs;
}

void Router::end_second_writers() {
    for (auto& name : names_) {
        if (now_ < others_end_ms(name)) continue;
        name.others_ms = 0;
        log_line(Level::info, who() + ": no other writer of list " + name.text + " for 10 minutes");
    }
}

// --- a human's hand ------------------------------------------------------------------------------

void Router::notice_hand(const Row& known, const Row& row) {
    if (known.owner != Owner::ours || known.disabled || known.is_gone(now_)) return;
    if (row.owner != Owner::ours) return changed_by_hand(row.place, Hand::comment);
    if (row.disabled) return changed_by_hand(row.place, Hand::disabled);
    if (writer_.in_flight(row.place)) return;
    if (row.is_outdated && !known.is_outdated) return changed_by_hand(row.place, Hand::property);
    if (now_ < known.touched_ms + kDriftMs) return;
    if (!row.unclear && row.gone_ms + kDriftMs < known.until_ms)
        changed_by_hand(row.place, Hand::timeout);
}

// From now on the place is left as it is, for lists that respect manual changes. A change that a writer may have made
// counts as manual only if there are few of them.
void Router::changed_by_hand(const Place& place, Hand hand) {
    const bool could_be_writer = hand == Hand::removed || hand == Hand::timeout;
    if (could_be_writer) {
        const Name& name = names_[place.name];
        if (may_others_write(name) || name.others_ms != 0) return;
        if (now_ < flush_until_ms_) {
            flush_until_ms_ = now_ + kHandMs;
            return;
        }
    }
    if (cleaning_ || !leave_alone(place, true)) return;
    if (!could_be_writer) return note_hand(place, hand);
    if (hands_.empty()) hands_until_ms_ = now_ + kHandMs;
    hands_.emplace_back(place, hand);
    if (hands_.size() <= kHandful) return;
    flush_until_ms_ = now_ + kHandMs;
    for (const auto& [other, what] : forget_hands()) {
        note_lost(other);
        evaluate(other, WriteClass::repair);
    }
}

// True: this is new for some claim.
bool Router::leave_alone(const Place& place, bool on) {
    if (!place.address.is_host() || persistent_.contains(place)) return false;
    bool news = false;
    for (const List* list : names_[place.name].users) {
        Claim* const claim = claims_.find({list->config.id, place.address});
        if (claim == nullptr || claim->left_alone == on) continue;
        if (on && !list->config.respect_manual_changes) continue;
        claim->left_alone = on;
        left_alone_ += on ? 1U : std::size_t{0} - 1U;
        news = true;
    }
    return news;
}

// They were not manual changes, or this is unknown.
std::vector<std::pair<Place, Router::Hand>> Router::forget_hands() {
    hands_until_ms_ = UINT64_MAX;
    auto hands = std::exchange(hands_, {});
    for (const auto& [place, hand] : hands)
        leave_alone(place, false);
    return hands;
}

// For lists that no longer respect manual changes.
void Router::respect_no_more() {
    if (left_alone_ == 0) return;
    std::vector<ClaimKey> keys;
    claims_.for_each([&](const Claim& claim) {
        const List* const list = find_list(claim.key.list);
        if (!claim.left_alone || list == nullptr || list->config.respect_manual_changes) return;
        keys.push_back(claim.key);
    });
    for (const auto& key : keys)
        claims_.find(key)->left_alone = false;
    left_alone_ -= keys.size();
}

void Router::note_hand(const Place& place, Hand hand) {
    ++counters_.manual_changes;
    ++hands_unlogged_;
    const RowTypeFacts& facts = place.table().facts();
    const std::string what = hand == Hand::removed    ? "removed"
                             : hand == Hand::disabled ? "disabled"
                             : hand == Hand::comment  ? "given a different comment"
                             : hand == Hand::property ? "given " + std::string(facts.changed)
                                                      : "given a shorter timeout";
    last_hand_ = place.address.to_string() + " in " + std::string(facts.group) + " " +
                 names_[place.name].text + " was " + what + " by hand";
}

// Changes within the last two seconds that are not a flush were manual; logged at most once a minute.
void Router::log_manual_changes() {
    if (now_ >= hands_until_ms_) {
        hands_until_ms_ = UINT64_MAX;
        for (const auto& [place, hand] : std::exchange(hands_, {}))
            note_hand(place, hand);
    }
    if (hands_unlogged_ == 0 || now_ < hands_logged_ms_) return;
    hands_logged_ms_ = now_ + kHandsLogMs;
    const std::size_t more = std::exchange(hands_unlogged_, 0) - 1;
    log_line(Level::warning,
             who() + ": " + last_hand_ +
                 (more == 0 ? "" : " (and " + std::to_string(more) + " more)") +
                 ": left so until no client holds it (`on_manual_change: respect`)");
}

// --- disabled rows of others ---------------------------------------------------------------------

// `id` 0: the conflicting row is not disabled.
void Router::note_disabled(const Place& place, RowId id) {
    refusals_[place].disabled = id;
    Row* const row = rows_.find(place.table(), id);
    if (row == nullptr || std::exchange(row->is_reported, true)) return;
    last_disabled_ = disabled_text(place, id);
    ++disabled_unlogged_;
}

std::string Router::disabled_text(const Place& place, RowId id) const {
    return place.address.to_string() + " in " + std::string(place.table().facts().group) + " " +
           names_[place.name].text + " is not covered: the disabled row " + row_id_text(id) +
           " of others has the address";
}

// Each row once; at most once a minute.
void Router::log_disabled_rows() {
    if (disabled_unlogged_ == 0 || now_ < disabled_logged_ms_) return;
    disabled_logged_ms_ = now_ + kHandsLogMs;
    const std::size_t more = std::exchange(disabled_unlogged_, 0) - 1;
    log_line(Level::warning, who() + ": " + last_disabled_ +
                                 (more == 0 ? "" : " (and " + std::to_string(more) + " more)") +
                                 "; enable or remove it");
}

std::uint64_t Router::hands_deadline() const {
    return std::min(hands_until_ms_, hands_unlogged_ == 0 ? UINT64_MAX : hands_logged_ms_);
}

}  // namespace steer::routeros
