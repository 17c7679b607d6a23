// Routes: rows without a timeout. We must remove them at their end, and each change of one is a
// write to the router's flash.
#include <algorithm>

#include "routeros/router.h"
#include "routeros/time_text.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kInactiveLogMs = 3'000;  // a gateway that comes back sooner is not logged

// A gateway in the form in which two texts of it are equal.
std::string plain_gateway(std::string_view text) {
    const auto address = Address::parse(text);
    if (address && address->is_host()) return address->to_string();
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return out;
}

}  // namespace

// False: a row that the router itself made, such as a connected route or one of a routing protocol.
bool Router::read_properties(const ReplyRow& reply, Row& row) const {
    if (reply.is_true("dynamic")) return false;
    row.is_inactive = reply.is_true("inactive");
    if (row.owner != Owner::ours) return true;
    const auto& properties = row.place.table().facts().properties;
    const auto wanted_values = names_[row.place.name].values.properties;
    for (std::size_t i = 0; i < wanted_values.size(); ++i) {
        const std::string_view found = reply.get(properties[i].name).value_or("");
        row.is_outdated |= properties[i].is_gateway
                               ? plain_gateway(found) != plain_gateway(wanted_values[i])
                               : found != wanted_values[i];
    }
    return true;
}

// Rows that the router cannot have: logged once.
bool Router::is_missing(Table table) {
    if (table_missing_[table.index()]) return true;
    const auto major = parse_time(std::string_view{version_}.substr(0, version_.find('.')));
    if (!major || *major >= table.facts().since_major) return false;
    table_missing_[table.index()] = true;
    if (!std::exchange(too_old_logged_, true)) {
        log_line(Level::warning, who() + " runs RouterOS " + version_ + ": no " +
                                     std::string(table.facts().what) +
                                     " are written, because they need RouterOS " +
                                     std::to_string(table.facts().since_major) +
                                     "; update it, or use a ros_address_list");
    }
    return true;
}

bool Router::has_timed_lists(NameIndex name) const {
    return std::ranges::all_of(names_[name].users,
                               [](const List* user) { return user->config.max_ttl_s != 0; });
}

// An own row without a timeout: only claims tell when it ends.
bool Router::is_leased_route(const Row& row) {
    return row.owner == Owner::ours && row.kind == RowKind::dynamic &&
           !row.place.table().facts().has_timeout;
}

// A route of an earlier process or of another appliance: the leases that rely on it are unknown, so it stays for as long as
// any of them may last. `tag` and `name`: of its comment, if known.
void Router::inherit(const Place& place, std::string_view tag, std::string_view of_name) {
    const Name& name = names_[place.name];
    if (!may_write_ || !place.address.is_host() || persistent_.contains(place)) return;
    const auto holds = [&](const List* list) {
        const Claim* const claim = claims_.find({list->config.id, place.address});
        return claim != nullptr && claim->until_ms > now_;
    };
    if (std::ranges::any_of(name.users, holds)) return;
    const List* const heir = heir_of(place.name, tag);
    if (heir == nullptr || heir->config.max_ttl_s == 0) return;
    const std::uint64_t until_ms =
        now_ + std::uint64_t{heir->config.max_ttl_s} * 1000 + heir->config.sync_timeout_ms;
    Claim* const claim = claims_.raise({heir->config.id, place.address}, of_name, until_ms,
                                       until_ms, heir->config.max_rows);
    if (claim == nullptr) return;
    (void)claims_.own(*claim, bounds_of(*heir));  // else it has no owner until an answer claims it
    ++counters_.rows_adopted;
    claim->answered = true;
}

// Before a new writer judges: claims of other appliances may still be in transit, or only a dead one knew them.
void Router::inherit_routes() {
    std::vector<Place> places;
    rows_.for_each([&](const Row& row) {
        if (is_leased_route(row)) places.push_back(row.place);
    });
    for (const Place& place : places)
        inherit(place, {}, {});
}

void Router::judge_ended_routes() {
    if (now_ < ended_routes_ms_) return;
    ended_routes_ms_ = UINT64_MAX;
    for (const Place& place : std::exchange(ended_routes_, {}))
        evaluate(place, WriteClass::routine);
}

// --- the connection guard ------------------------------------------------------------------------

// Whether the route must not be removed now, because a connection may use it. Asks for its connections, if needed.
bool Router::is_kept(const Place& place, const Wanted& w) {
    if (!names_[place.name].is_guarded || cleaning_ || w.want.any() || w.want.unwelcome)
        return false;
    if (connections_.is_free(place.address, now_)) return false;
    connections_.guard(place.address, now_);
    return true;
}

// The print of connections has ended: routes that none of them uses go.
void Router::release_routes() {
    counters_.removals_deferred += connections_.take_busy();
    for (const Address& address : connections_.take_free()) {
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (names_[i].is_guarded && names_[i].table.menu == address.menu())
                evaluate(place_at(static_cast<NameIndex>(i), address), WriteClass::routine);
        }
    }
}

// --- gateways ------------------------------------------------------------------------------------

void Router::log_inactive_routes() {
    const bool any = state_ == RouterState::in_sync && rows_.inactive() > 0;
    if (any == inactive_logged_ || state_ != RouterState::in_sync) {
        inactive_ms_ = UINT64_MAX;
        return;
    }
    if (inactive_ms_ == UINT64_MAX) inactive_ms_ = now_ + kInactiveLogMs;
    if (now_ < inactive_ms_) return;
    inactive_ms_ = UINT64_MAX;
    inactive_logged_ = any;
    if (!any) return log_line(Level::info, who() + ": its routes are active again");
    const bool one = rows_.inactive() == 1;
    log_line(Level::warning,
             who() + ": " + std::to_string(rows_.inactive()) + (one ? " route" : " routes") +
                 (one ? " is" : " are") +
                 " inactive, because the router cannot reach the gateway: connections to these "
                 "addresses leave by another route; check the gateway");
}

std::uint64_t Router::inactive_deadline() const {
    return state_ == RouterState::in_sync ? inactive_ms_ : UINT64_MAX;
}

}  // namespace steer::routeros
