// Cover of an address by other rows: persistent prefixes that contain it. Also addresses that get
// no own row: the router's own, and those of claims that were given up.
#include <algorithm>

#include "routeros/router.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kOwnEveryMs = 60'000;  // addresses of the router change with its lines
constexpr std::uint64_t kLostMs = 2'000, kLostLogMs = 60'000;

std::size_t slot_of(Menu menu) {
    return menu == Menu::ip ? 0 : 1;
}

}  // namespace

// --- persistent prefixes -------------------------------------------------------------------------

// Calls f(prefix) for each persistent prefix above the address, the longest first. Includes prefixes that were
// configured before and may still have their row.
template <class F>
void Router::for_each_above(const Place& place, F&& f) const {
    if (!place.address.is_host()) return;
    for (const std::uint8_t length : names_[place.name].prefixes) {
        const Place above = place_at(place.name, place.address.within(length));
        if (persistent_.contains(above) || ended_prefixes_.contains(above)) f(above);
    }
}

Shelter Router::shelter_by(const Place& prefix) {
    if (!persistent_.contains(prefix)) return Shelter::none;
    Want want;
    want.persistent = true;
    std::vector<Row*> rows;
    rows_.at(prefix, rows);
    if (compare(rows, want, now_).cover_ms == kForever) return Shelter::there;
    const bool hopeless = refusals_.contains(prefix) || table_missing_[prefix.table().index()];
    return hopeless ? Shelter::none : Shelter::coming;
}

Shelter Router::shelter_of(const Place& place) {
    Shelter best = Shelter::none;
    for_each_above(place, [&](const Place& prefix) { best = std::max(best, shelter_by(prefix)); });
    return best;
}

// An address whose claim depends on prefixes above it. A prefix that is no longer configured stays until
// all such addresses have rows of their own.
void Router::note_shelter(const Place& place, const Judged& judged, WriteClass cls) {
    if (names_[place.name].prefixes.empty()) return;
    std::vector<Place> hurry, left;
    for_each_above(place, [&](const Place& prefix) {
        const bool ended = !persistent_.contains(prefix);
        const Need need = judged.difference.need;
        const bool depends =
            judged.wanted.want.claimed && (!ended || need == Need::add || need == Need::extend);
        if (depends) {
            Sheltered& sheltered = shelters_[prefix];
            sheltered.state = shelter_by(prefix);
            sheltered.hosts.insert(place.address);
            if (sheltered.state == Shelter::coming && cls == WriteClass::held)
                hurry.push_back(prefix);
            return;
        }
        const auto found = shelters_.find(prefix);
        if (found == shelters_.end() || found->second.hosts.erase(place.address) == 0) return;
        if (ended && found->second.hosts.empty()) left.push_back(prefix);
    });
    for (const Place& prefix : left)
        evaluate(prefix, WriteClass::routine);
    if (judged.wanted.want.shelter != Shelter::coming) return;
    for (const Place& prefix : hurry)
        evaluate(prefix, WriteClass::held);
}

void Router::leave_shelters(const Place& place) {
    std::vector<Place> left;
    for_each_above(place, [&](const Place& prefix) {
        const auto found = shelters_.find(prefix);
        if (found == shelters_.end() || found->second.hosts.erase(place.address) == 0) return;
        if (found->second.hosts.empty() && !persistent_.contains(prefix)) left.push_back(prefix);
    });
    for (const Place& prefix : left)
        evaluate(prefix, WriteClass::routine);
}

// Judges the addresses below a prefix again when its row was added or removed.
void Router::judge_sheltered(const Place& prefix) {
    const auto found = shelters_.find(prefix);
    if (found == shelters_.end()) return;
    const Shelter state = shelter_by(prefix);
    if (state == found->second.state) return;
    found->second.state = state;
    const auto hosts = std::exchange(found->second.hosts, {});
    for (const Address& host : hosts)
        evaluate(place_at(prefix.name, host), WriteClass::repair);
}

bool Router::must_stay(const Place& prefix) const {
    if (!ended_prefixes_.contains(prefix)) return false;
    const auto found = shelters_.find(prefix);
    return judging_.on || (found != shelters_.end() && !found->second.hosts.empty());
}

// All claims were judged: the addresses below these prefixes are known.
void Router::judge_ended_prefixes() {
    const std::vector<Place> ended(ended_prefixes_.begin(), ended_prefixes_.end());
    for (const Place& prefix : ended)
        evaluate(prefix, WriteClass::repair);
}

// --- where no row is welcome ---------------------------------------------------------------------

bool Router::is_unwelcome(const Place& place, bool claimed) const {
    if (!place.address.is_host()) return false;
    return own_.contains(place.address) || (!claimed && unwelcome_.contains(place));
}

// A claim was taken out early.
void Router::gave_up(const Claim& claim) {
    const ClaimKey& key = claim.key;
    sink_.lost(key.list, key.address.bytes);
    if (claim.left_alone) --left_alone_;
    if (List* const list = find_list(key.list)) check_fill(*list);
    const auto place = place_of(key);
    if (!place) return;
    leave_shelters(*place);
    fail_waiters(*place);
}

void Router::evict(const Claim& claim) {
    ++counters_.claims_evicted;
    gave_up(claim);
    const auto place = place_of(claim.key);
    if (!place) return;
    // If others write the list, their leases are unknown.
    if (!may_others_write(names_[place->name])) unwelcome_.insert(*place);
    evaluate(*place, WriteClass::routine);
}

Forgotten Router::forget(const AddressBytes& bytes, std::uint64_t now_ms) {
    go_on_at(now_ms);
    const Address address = Address::host(bytes);
    Forgotten done;
    for (auto& [id, list] : lists_) {
        const auto claim = claims_.drop({id, address});
        if (!claim) continue;
        ++done.claims;
        gave_up(*claim);
    }
    bool known = done.claims > 0;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (names_[i].table.menu != address.menu()) continue;
        const Place place = place_at(static_cast<NameIndex>(i), address);
        if (persistent_.contains(place)) {
            ++done.persistent;
            continue;
        }
        rows_.at(place, at_place_);
        const auto is_ours = [&](const Row* row) {
            return row->owner == Owner::ours && row->kind == RowKind::dynamic &&
                   !row->is_gone(now_);
        };
        const auto rows = static_cast<std::size_t>(std::ranges::count_if(at_place_, is_ours));
        known |= rows > 0;
        if (!may_write_) continue;  // another one's row
        done.rows += rows;
        if (rows > 0 || writer_.in_flight(place)) unwelcome_.insert(place);
        evaluate(place, WriteClass::repair);
    }
    if (known) {
        // Cached answers rely on earlier promises: a new epoch makes them ask again.
        begin_epoch();
        reconcile(WriteClass::routine);
    }
    run();
    return done;
}

// --- the router's own addresses ------------------------------------------------------------------

void Router::ask_own_addresses() {
    if (now_ < own_ms_ || prints_running() || writer_.has_held()) return;
    if (jobs(JobKind::own) > 0) return;
    own_ms_ = now_ + kOwnEveryMs;
    for (const auto menu : {Menu::ip, Menu::ipv6}) {
        if (own_refused_[slot_of(menu)]) continue;
        own_read_[slot_of(menu)].clear();
        submit(print(forms::print_own_addresses, menu), {JobKind::own, {menu}});
    }
}

void Router::on_own_row(const Job& job, const ReplyRow& row) {
    const std::string_view text = row.get("address").value_or("");
    const auto address = Address::parse(job.table.menu, text.substr(0, text.find('/')));
    if (address) own_read_[slot_of(job.table.menu)].insert(*address);
}

void Router::on_own_end(const Job& job, const Ending& ending) {
    const std::size_t menu = slot_of(job.table.menu);
    if (!ending.ok) {
        own_refused_[menu] = true;
        if (ending.says("no such command") || std::exchange(own_addresses_logged_, true)) return;
        log_line(Level::info,
                 who() + " does not list its own addresses (" + ending.message +
                     "): they become rows if names of a list have them; give the group "
                     "of user " +
                     config_.username + " the policy read");
        return;
    }
    std::vector<Address> changed;
    std::erase_if(own_, [&](const Address& address) {
        const bool gone = address.menu() == job.table.menu && !own_read_[menu].contains(address);
        if (gone) changed.push_back(address);
        return gone;
    });
    for (const Address& address : own_read_[menu]) {
        if (own_.insert(address).second) changed.push_back(address);
    }
    for (const Address& address : changed) {
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (names_[i].table.menu == job.table.menu)
                evaluate(place_at(static_cast<NameIndex>(i), address), WriteClass::routine);
        }
    }
}

// --- rows that others removed --------------------------------------------------------------------

// The row is written again. Logs the number per list, within two seconds and at most once a minute.
void Router::note_lost(const Place& place) {
    ++counters_.rows_repaired;
    Name& name = names_[place.name];
    if (name.lost++ > 0) return;
    name.lost_first = place.address;
    name.lost_log_ms = std::max(now_ + kLostMs, name.lost_logged_ms + kLostLogMs);
}

void Router::log_lost_rows() {
    for (Name& name : names_) {
        if (name.lost == 0 || now_ < name.lost_log_ms) continue;
        const bool one = name.lost == 1;
        log_line(Level::warning, who() + ": " + std::to_string(name.lost) +
                                     (one ? " row" : " rows") + " of " +
                                     std::string(name.table.facts().group) + " " + name.text +
                                     (one ? " was" : " were") + " removed on the router and " +
                                     (one ? "is" : "are") + " written again (" +
                                     (one ? "" : "first ") + name.lost_first.to_string() + ")");
        name.lost = 0;
        name.lost_logged_ms = now_;
    }
}

std::uint64_t Router::lost_deadline() const {
    std::uint64_t next = UINT64_MAX;
    for (const Name& name : names_) {
        if (name.lost > 0) next = std::min(next, name.lost_log_ms);
    }
    return next;
}

}  // namespace steer::routeros
