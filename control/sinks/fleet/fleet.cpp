#include "control/sinks/fleet/fleet.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "control/api/metrics/report_table.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "routeros/router.h"

namespace steer::fleet {
namespace {

namespace json = boost::json;
using routeros::FleetRole;
using routeros::Level;
using routeros::Role;

constexpr std::string_view kFormat = "1";
constexpr std::size_t kPage = 1'000;                          // members of one ZRANGEBYSCORE
constexpr std::size_t kPairs = 250;                           // members of one ZADD
constexpr std::uint64_t kPastMs = 60'000;                     // an ended claim is kept so long
constexpr std::uint64_t kKeptMs = 8 * 24 * 3'600'000ULL;      // a router's claims, without a writer
constexpr std::uint64_t kFarthestMs = 7 * 24 * 3'600'000ULL;  // an end that is taken from others
constexpr std::uint64_t kLastClockMs = 253'402'300'799'000;   // of Redis's clock: the year 9999
constexpr std::uint64_t kForbiddenLogMs = 60'000;             // between two lines about them
constexpr std::int64_t kClockJumpMs = 5'000;
constexpr std::int64_t kClockSkewMs = 60'000;     // a problem of the machine, not of the leases
constexpr std::uint64_t kProofMs = 10'000;        // a writer's row is on the router by then
constexpr std::uint64_t kBoxMs = 5'000;           // life of a box's sign, at least
constexpr std::int64_t kForgetBoxMs = 3'600'000;  // and then it is forgotten
constexpr unsigned kTicksPerBox = 3;              // between two signs of life
constexpr unsigned kTicksPerPoll = 7;             // between two checks at the others
constexpr std::size_t kMaxBoxes = 1'000;
constexpr std::size_t kKeepsUp = 1'000;     // unanswered commands; with fewer, Redis keeps up
constexpr std::size_t kSharesInFlight = 8;  // of kPairs claims each: some 2 ms of Redis's time
constexpr std::size_t kReasonBytes = 200;
constexpr std::uint64_t kMsPerS = 1'000;

// KEYS: writer, token. ARGV: BOX/NONCE, lease in ms, highest token that was seen at the router, what is wanted: "1" the
// lease, "0" no lease (a held one is given up). Returns token and holder, "0" and "" without one.
constexpr std::string_view kElect = R"(
local holder = redis.call('GET', KEYS[1])
if holder then
  local token, box = string.match(holder, '^(%d+) (.*)$')
  if not token then return redis.error_reply('ERR the writer key has a foreign value') end
  if box ~= ARGV[1] then return {token, box} end
  if ARGV[4] == '0' then redis.call('DEL', KEYS[1]) return {'0', ''} end
  if tonumber(token) >= tonumber(ARGV[3]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return {token, box}
  end
elseif ARGV[4] == '0' then
  return {'0', ''}
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local token = string.format('%.0f', math.max(last, tonumber(ARGV[3])) + 1)
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
return {token, ARGV[1]})";

std::uint64_t number_in(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string box_of(std::string_view id) {
    return std::string(id.substr(0, id.find('/')));
}

bool is_true(const json::object& from, std::string_view key) {
    const auto* const value = from.if_contains(key);
    return value != nullptr && *value == json::value(true);
}

std::string text_of(const json::object& from, std::string_view key) {
    const auto* const value = from.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool has_new_list(const std::vector<KeptList>& before, const std::vector<KeptList>& now) {
    return std::ranges::any_of(now, [&](const KeptList& list) {
        return std::ranges::find(before, list.tag, &KeptList::tag) == before.end();
    });
}

json::array texts(const std::vector<std::string>& all) {
    json::array out;
    for (const std::string& one : all)
        out.emplace_back(one);
    return out;
}

// A paused router is none that this box could write.
std::string_view state_of(const routeros::RouterStatus& status) {
    return status.paused ? "paused" : routeros::label(status.state);
}

// Whether the box that reported this has read that router's rows, and could write it.
bool has_in_sync(const json::object& status, std::string_view router) {
    const auto* const all = status.if_contains("routers");
    if (all == nullptr || !all->is_array()) return false;
    return std::ranges::any_of(all->get_array(), [&](const json::value& one) {
        return one.is_object() && text_of(one.get_object(), "name") == router &&
               text_of(one.get_object(), "state") == "in_sync";
    });
}

}  // namespace

Fleet::Fleet(FleetIdentity identity, const RedisLogin& login, routeros::RouterLink& commands,
             routeros::RouterLink& messages, Log log)
    : identity_(std::move(identity)),
      log_(std::move(log)),
      commands_(
          commands, login, false, identity_.lease_ms,
          {.ready = [this](std::uint64_t now_ms) { commands_ready(now_ms); },
           .message = {},
           .lost = [this](const std::string& why, std::uint64_t now_ms) { lost(why, now_ms); }}),
      messages_(
          messages, login, true, identity_.lease_ms,
          {.ready = [this](std::uint64_t now_ms) { begin_subscription(now_ms); },
           .message = [this](std::string_view channel, std::string_view payload,
                             std::uint64_t now_ms) { took_message(channel, payload, now_ms); },
           .lost =
               [this](const std::string& why, std::uint64_t now_ms) {
                   if (std::exchange(is_subscribed_, false)) ++counters_.losses;
                   withdrawal_.lost();
                   state_.lost();
                   set_error(why, now_ms);
               }}),
      election_(kElect),
      tickets_(key(""), commands_),
      state_(key(""), identity_.box, commands_),
      withdrawal_(key(""), identity_.box, commands_) {}

// ---- keys and clocks

std::string Fleet::key(std::string_view rest) const {
    return "steerdns:{" + identity_.name + "}:" + std::string(rest);
}

std::string Fleet::key(const Member& member, std::string_view rest) const {
    return key("router:" + member.peer.name + ":" + std::string(rest));
}

std::uint64_t Fleet::redis_ms(std::uint64_t at_ms) const {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(at_ms) + clock_difference_ms_);
}

std::uint64_t Fleet::own_ms(std::uint64_t redis_ms) const {
    const auto theirs_ms = static_cast<std::int64_t>(std::min(redis_ms, kLastClockMs));
    const std::int64_t at_ms = theirs_ms - clock_difference_ms_;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(at_ms, 0));
}

// Halfway between question and reply.
void Fleet::ask_time(std::uint64_t now_ms) {
    commands_.command({"TIME"}, now_ms,
                      [this, now_ms](const RedisReply& reply, std::uint64_t at_ms) {
                          take_time(reply, now_ms, at_ms);
                      });
}

void Fleet::take_time(const RedisReply& reply, std::uint64_t sent_ms, std::uint64_t now_ms) {
    if (reply.items.size() != 2) return;
    const std::uint64_t theirs_s = number_in(reply.items[0].text);
    if (theirs_s >= kLastClockMs / 1000) return;
    const std::uint64_t theirs_ms =
        theirs_s * 1000 + std::min<std::uint64_t>(number_in(reply.items[1].text) / 1000, 999);
    const auto difference =
        static_cast<std::int64_t>(theirs_ms) - static_cast<std::int64_t>((sent_ms + now_ms) / 2);
    if (wall_ms_)
        clock_ahead_ms_ =
            static_cast<std::int64_t>(theirs_ms + (now_ms - sent_ms) / 2) - wall_ms_();
    const bool has_jumped =
        has_clock_ && std::abs(difference - clock_difference_ms_) > kClockJumpMs;
    clock_difference_ms_ = difference;
    has_clock_ = true;
    if (!has_jumped) return;
    log_(Level::warning,
         "fleet " + identity_.name +
             ": the clock of Redis's machine jumped; all claims are published again");
    share_all(now_ms);
}

// ---- the connections

void Fleet::start(std::uint64_t now_ms) {
    contact_ms_ = now_ms;
    apply_roles(now_ms);
}

void Fleet::connect(std::uint64_t now_ms) {
    commands_.start(now_ms);
    messages_.start(now_ms);
}

void Fleet::stop(std::uint64_t now_ms) {
    const std::string box = key("box:" + id());
    for (Member& member : members_) {
        give_up(member, now_ms);
        member.peer.router->set_role(
            {.role = Role::standby, .fleet = identity_.name, .box = {}, .token = 0}, now_ms);
        member.peer.wake();
    }
    members_.clear();
    withdrawal_.stop(now_ms);
    commands_.command({"DEL", box}, now_ms);
    commands_.send_now();
}

bool Fleet::has_stopped() const {
    return !commands_.is_ready() || commands_.unanswered() == 0;
}

void Fleet::end() {
    if (hosts_ != nullptr) hosts_->set(this, {});
    commands_.stop();
    messages_.stop();
}

void Fleet::commands_ready(std::uint64_t now_ms) {
    ++counters_.connects;
    is_our_format_ = false;
    election_.forget();
    withdrawal_.connected();
    const std::string format = key("format");
    commands_.command({"SETNX", format, kFormat}, now_ms);
    commands_.command(
        {"GET", format}, now_ms,
        [this](const RedisReply& reply, std::uint64_t at_ms) { check_format(reply, at_ms); });
    ask_time(now_ms);
}

void Fleet::check_format(const RedisReply& reply, std::uint64_t now_ms) {
    is_our_format_ = !reply.is_error() && reply.text == kFormat;
    if (is_our_format_) return begin_subscription(now_ms);
    const std::string found =
        reply.is_error() ? safe_text(reply.text, kReasonBytes)
                         : "it has " + matchers::quoted(safe_text(reply.text, kReasonBytes)) +
                               ", this version expects " + std::string(kFormat);
    commands_.restart("the key " + key("format") + " is not of this version of SteerDNS (" + found +
                          "): give the fleet another name, or bring all boxes to one version",
                      now_ms);
}

// Needs both connections, in any order.
void Fleet::begin_subscription(std::uint64_t now_ms) {
    if (!commands_.is_ready() || !messages_.is_ready() || !is_our_format_) return;
    std::vector<std::string> channels;
    for (const Member& member : members_)
        channels.push_back(key(member, "claims"));
    if (state_.is_used()) channels.push_back(state_.channel());
    if (channels.empty()) channels.push_back(key("boxes"));  // nothing is published there
    messages_.subscribe(channels, now_ms, [this](std::uint64_t at_ms) {
        is_subscribed_ = true;
        set_error({}, at_ms);
        has_seen_boxes_ = false;
        for (Member& member : members_)
            member.is_loaded = member.is_loading = false;
        load_missing(at_ms);
        share_all(at_ms);
        read_state(at_ms);
        tick(at_ms);
    });
}

void Fleet::share_state(std::vector<std::string> kinds, SharedState::Events events,
                        std::function<void()> begin) {
    state_.use(std::move(kinds), std::move(events));
    state_begins_ = std::move(begin);
}

void Fleet::read_state(std::uint64_t now_ms) {
    if (!state_.is_used()) return;
    state_begins_();
    state_.begin(clock_difference_ms_, now_ms);
}

bool Fleet::put(const EntryChange& change, std::uint64_t now_ms) {
    if (!state_.put(change, clock_ahead_ms_.value_or(0), now_ms)) return false;
    commands_.send_now();
    return true;
}

void Fleet::lost(const std::string& why, std::uint64_t now_ms) {
    end_polls();
    to_share_.clear();
    backlog_.clear();
    shares_in_flight_ = 0;
    withdrawal_.lost();
    state_.lost();
    for (Member& member : members_)
        member.is_loading = false;
    if (std::exchange(is_subscribed_, false)) ++counters_.losses;
    set_error(why, now_ms);
    messages_.restart("the other connection ended", now_ms);
    set_error(why, now_ms);
}

void Fleet::set_error(const std::string& why, std::uint64_t now_ms) {
    if (why == error_) return;
    const bool was_there = error_.empty();
    if (was_there || why.empty()) error_since_ms_ = now_ms;
    error_ = why;
    if (why.empty()) {
        log_(Level::info, "fleet " + identity_.name + ": Redis is connected");
    } else if (was_there) {
        log_(Level::warning,
             "fleet " + identity_.name + ": Redis is unreachable: " + why +
                 "; without it every box writes to the routers by itself, and removes nothing");
    }
}

// ---- claims

Fleet::Member* Fleet::find(std::string_view router) {
    const auto at = std::ranges::find_if(
        members_, [&](const Member& member) { return member.peer.name == router; });
    return at == members_.end() ? nullptr : &*at;
}

void Fleet::follow(std::vector<PeerRouter> routers, std::uint64_t now_ms) {
    std::vector<Member> before = std::exchange(members_, {});
    bool are_same = before.size() == routers.size();
    for (PeerRouter& peer : routers) {
        const auto at = std::ranges::find_if(
            before, [&](const Member& member) { return member.peer.name == peer.name; });
        Member member;
        if (at != before.end()) {
            member = std::move(*at);
            before.erase(at);
            if (member.peer.router != peer.router) member.role = {};
            // Another box may have had the list earlier: its claims arrived and were not known.
            if (has_new_list(member.peer.lists, peer.lists))
                member.is_loaded = member.is_loading = false;
        } else {
            are_same = false;
        }
        member.peer = std::move(peer);
        members_.push_back(std::move(member));
    }
    apply_roles(now_ms);
    if (!are_same) return begin_subscription(now_ms);  // to the channels of new routers, too
    if (!is_connected()) return;
    load_missing(now_ms);
    commands_.send_now();
}

void Fleet::claimed(const std::string& router, const Claim& claim, std::uint64_t now_ms) {
    Member* const member = find(router);
    if (member == nullptr || !is_connected()) return;  // all are published after the next connect
    const auto list = std::ranges::find_if(member->peer.lists,
                                           [&](const KeptList& l) { return l.id == claim.list; });
    if (list == member->peer.lists.end()) return;
    for (const IpAddress& address : claim.addresses) {
        member->batch.push_back({.list = list->tag,
                                 .address = address.bytes,
                                 .name = std::string(claim.name),
                                 .lease_end_ms = std::max(claim.lease_end_ms, now_ms),
                                 .row_life_s = claim.row_life_s,
                                 .is_urgent = claim.hold_token != 0});
    }
}

void Fleet::flush(std::uint64_t now_ms) {
    bool any = false;
    for (Member& member : members_) {
        if (member.batch.empty()) continue;
        publish(member, std::exchange(member.batch, {}), now_ms);
        any = true;
    }
    if (any) commands_.send_now();
}

// `done`: after Redis confirmed each part of at most kPairs; not called if they are left for later.
void Fleet::publish(const Member& member, std::vector<SharedClaim> claims, std::uint64_t now_ms,
                    const RedisConnection::Done& done) {
    if (!has_clock_ || commands_.unanswered() > RedisConnection::kMaxUnanswered / 2) {
        counters_.claims_not_sent += claims.size();
        has_unsent_claims_ = true;
        return;
    }
    for (SharedClaim& claim : claims)
        claim.lease_end_ms = redis_ms(claim.lease_end_ms);
    counters_.claims_sent += claims.size();
    const std::string place = key(member, "claims");
    // Stored before it is published: a box that subscribes between has it from the one or the other.
    for (std::size_t at = 0; at < claims.size(); at += kPairs) {
        std::vector<std::string> pairs;
        for (std::size_t i = at; i < std::min(at + kPairs, claims.size()); ++i) {
            pairs.push_back(std::to_string(claims[i].lease_end_ms));
            pairs.push_back(encode_member(claims[i]));
        }
        std::vector<std::string_view> words{"ZADD", place, "GT"};
        words.insert(words.end(), pairs.begin(), pairs.end());
        commands_.command(
            words, now_ms, [this, done](const RedisReply& reply, std::uint64_t at_ms) {
                if (reply.is_error())
                    return commands_.restart(
                        "it refused claims: " + safe_text(reply.text, kReasonBytes), at_ms);
                if (done) done(reply, at_ms);
            });
    }
    for (const std::string& message : encode_messages(id(), claims))
        commands_.command({"PUBLISH", place, message}, now_ms);
}

// Every live claim, those of others too: any of them may be lost in Redis.
void Fleet::share_all(std::uint64_t now_ms) {
    has_unsent_claims_ = false;
    backlog_.clear();
    to_share_.clear();
    for (const Member& member : members_)
        to_share_.push_back(member.peer.name);
    share_more(now_ms);
}

// Redis gets the next part when it has confirmed one. Otherwise elections and new claims would wait behind all of them; a
// slow Redis would lose its boxes by that, and with each reconnection it would get all claims once more.
void Fleet::share_more(std::uint64_t now_ms) {
    if (!has_clock_ || commands_.unanswered() > kKeepsUp) return;
    while (shares_in_flight_ < kSharesInFlight && (!backlog_.empty() || !to_share_.empty())) {
        if (backlog_.empty()) {
            backlog_of_ = std::move(to_share_.back());
            to_share_.pop_back();
            if (const Member* const next = find(backlog_of_)) backlog_ = claims_of(*next);
            continue;
        }
        const auto begin =
            backlog_.end() - static_cast<std::ptrdiff_t>(std::min(backlog_.size(), kPairs));
        std::vector<SharedClaim> part(std::make_move_iterator(begin),
                                      std::make_move_iterator(backlog_.end()));
        backlog_.erase(begin, backlog_.end());
        const Member* const member = find(backlog_of_);
        if (member == nullptr) continue;  // a reload removed it
        ++shares_in_flight_;
        publish(*member, std::move(part), now_ms,
                [this](const RedisReply& /*reply*/, std::uint64_t at_ms) {
                    --shares_in_flight_;
                    share_more(at_ms);
                });
    }
}

std::vector<SharedClaim> Fleet::claims_of(const Member& member) {
    std::map<ListId, std::string> tags;
    std::set<std::string_view> different;
    for (const KeptList& list : member.peer.lists) {
        tags[list.id] = list.tag;
        different.insert(list.tag);
    }
    std::vector<SharedClaim> claims;
    member.peer.router->for_each_claim([&](const routeros::SharedClaim& claim) {
        const auto tag = tags.find(claim.list);
        if (tag == tags.end()) return;
        claims.push_back({.list = tag->second,
                          .address = claim.address,
                          .name = std::string(claim.origin.name),
                          .lease_end_ms = claim.until_ms,
                          .row_life_s = claim.row_life_s,
                          .is_urgent = false});
    });
    if (different.size() == tags.size()) return claims;
    // A list with several ids has the same claim under each of them. The latest end counts.
    const auto row = [](const SharedClaim& one) {
        return std::tie(one.list, one.address, one.name, one.row_life_s);
    };
    std::ranges::sort(claims, [&](const SharedClaim& a, const SharedClaim& b) {
        return row(a) != row(b) ? row(a) < row(b) : a.lease_end_ms > b.lease_end_ms;
    });
    const auto same_row = [&](const SharedClaim& a, const SharedClaim& b) {
        return row(a) == row(b);
    };
    claims.erase(std::unique(claims.begin(), claims.end(), same_row), claims.end());
    return claims;
}

// Begins to read the stored claims that are neither here nor asked for.
void Fleet::load_missing(std::uint64_t now_ms) {
    const std::uint64_t from_ms = has_clock_ ? redis_ms(now_ms) : 0;
    for (Member& member : members_) {
        if (!member.is_loaded && !member.is_loading)
            load_page(member, {.from_ms = from_ms, .skip = 0}, now_ms);
    }
}

// Not asked while too many replies are missing: tick() begins again.
void Fleet::load_page(Member& member, PageOfClaims page, std::uint64_t now_ms) {
    const std::string place = key(member, "claims"), least = std::to_string(page.from_ms);
    const std::string offset = std::to_string(page.skip), most = std::to_string(kPage);
    member.is_loading = commands_.command(
        {"ZRANGEBYSCORE", place, least, "+inf", "WITHSCORES", "LIMIT", offset, most}, now_ms,
        [this, router = member.peer.name, page](const RedisReply& reply, std::uint64_t at_ms) {
            took_page(router, page, reply, at_ms);
        });
}

// The next page begins at the last end of this one, whose claims may come twice. By a count of claims some would be left
// out, as claims before it end or are prolonged between two pages.
void Fleet::took_page(const std::string& router, PageOfClaims page, const RedisReply& reply,
                      std::uint64_t now_ms) {
    Member* const to = find(router);
    if (to == nullptr) return;
    to->is_loading = false;
    if (reply.is_error()) {
        return commands_.restart("claims cannot be read: " + safe_text(reply.text, kReasonBytes),
                                 now_ms);
    }
    std::uint64_t last_ms = page.from_ms;
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
        last_ms = number_in(reply.items[i + 1].text);
        auto claim = decode_member(reply.items[i].text);
        if (!claim) {
            ++counters_.messages_bad;
            continue;
        }
        claim->lease_end_ms = last_ms;
        take_claim(*to, *claim, now_ms);
    }
    to->peer.wake();
    if (reply.items.size() < 2 * kPage) {
        to->is_loaded = true;
        return elect(*to, now_ms);
    }
    page.skip = last_ms == page.from_ms ? page.skip + kPage : 0;
    page.from_ms = last_ms;
    load_page(*to, page, now_ms);
}

void Fleet::took_message(std::string_view channel, std::string_view payload, std::uint64_t now_ms) {
    if (channel == state_.channel()) return state_.took_message(payload, now_ms);
    const auto member = std::ranges::find_if(
        members_, [&](const Member& one) { return key(one, "claims") == channel; });
    if (member == members_.end()) return;
    const auto message = decode_message(payload);
    if (!message) {
        ++counters_.messages_bad;
        return;
    }
    if (message->box == id()) return;
    for (const SharedClaim& claim : message->claims)
        take_claim(*member, claim, now_ms);
    member->peer.wake();
}

// A list has one more id for each group of clients that only some of its routers serve. The row is the same, so it covers
// the answers of all of them.
void Fleet::take_claim(Member& member, const SharedClaim& claim, std::uint64_t now_ms) {
    const std::uint64_t end_ms = std::min(own_ms(claim.lease_end_ms), now_ms + kFarthestMs);
    bool is_known = false, is_forbidden = false;
    for (const KeptList& list : member.peer.lists) {
        if (list.tag != claim.list) continue;
        is_known = true;
        if (end_ms <= now_ms) continue;
        if (!may_claim(list.terms, IpAddress{claim.address})) {
            is_forbidden = true;
            continue;
        }
        const routeros::SharedClaim one{.list = list.id,
                                        .address = claim.address,
                                        .origin = routeros::Origin{claim.name},
                                        .until_ms = list.terms.lease_end_ms(end_ms, now_ms),
                                        .row_life_s = list.terms.row_life_s(claim.row_life_s)};
        member.peer.router->take_claims({&one, 1}, claim.is_urgent, now_ms);
    }
    if (!is_known)
        ++counters_.claims_unknown;
    else if (is_forbidden)
        refused_claim(claim, now_ms);
    else if (end_ms > now_ms)
        ++counters_.claims_received;
}

void Fleet::refused_claim(const SharedClaim& claim, std::uint64_t now_ms) {
    ++counters_.claims_forbidden;
    if (now_ms < forbidden_log_ms_) return;
    forbidden_log_ms_ = now_ms + kForbiddenLogMs;
    log_(Level::warning,
         "fleet " + identity_.name + ": another box claimed " +
             IpAddress{claim.address}.to_string() + " for list " + claim.list +
             ", which this box never claims; no row is written, compare 'never_claim' and "
             "'allow_claim' of both boxes");
}

// ---- who writes

// A new writer has the claims of the others. A box that drains goes on while no other one can take over.
bool Fleet::is_candidate(const Member& member, std::uint64_t now_ms) const {
    const bool is_in_sync =
        member.in_sync_ms != 0 && now_ms < member.in_sync_ms + identity_.lease_ms;
    return is_in_sync && (member.is_loaded || member.holder == id()) &&
           (!facts_.is_draining || !is_kept_by_others(member));
}

// Whether another box, which does not drain, has read this router's rows.
bool Fleet::is_kept_by_others(const Member& member) const {
    return std::ranges::any_of(boxes_, [&](const Box& box) {
        return box.id != id() && !is_true(box.status, "draining") &&
               has_in_sync(box.status, member.peer.name);
    });
}

void Fleet::give_up(const Member& member, std::uint64_t now_ms) {
    call_election(member, 1, 0, false, now_ms);
}

void Fleet::elect(Member& member, std::uint64_t now_ms) {
    const routeros::RouterStatus status = member.peer.router->status();
    member.is_in_sync = status.state == routeros::RouterState::in_sync;
    member.token_there = status.writer_token;
    if (member.is_in_sync) member.in_sync_ms = now_ms;
    const bool wants = is_candidate(member, now_ms) && !status.paused;
    call_election(
        member, identity_.lease_ms, member.peer.router->highest_token(), wants, now_ms,
        [this, router = member.peer.name, now_ms](const RedisReply& reply, std::uint64_t at_ms) {
            take_election(router, reply, now_ms, at_ms);
        });
}

bool Fleet::call_election(const Member& member, std::uint64_t lease_ms, std::uint64_t seen,
                          bool wants, std::uint64_t now_ms, RedisConnection::Done done) {
    return election_.call(commands_, {key(member, "writer"), key(member, "token")},
                          {id(), std::to_string(lease_ms), std::to_string(seen), wants ? "1" : "0"},
                          now_ms, std::move(done));
}

void Fleet::take_election(const std::string& router, const RedisReply& reply, std::uint64_t sent_ms,
                          std::uint64_t now_ms) {
    if (RedisScript::is_lost(reply)) return;
    if (reply.is_error() || reply.items.size() != 2) {
        return commands_.restart("the election failed: " + safe_text(reply.text, kReasonBytes),
                                 now_ms);
    }
    contact_ms_ = std::max(contact_ms_, sent_ms);
    Member* const member = find(router);
    if (member == nullptr) return;
    const std::uint64_t token = number_in(reply.items[0].text);
    const std::string& holder = reply.items[1].text;
    if (holder == id() && token != member->token) {
        ++counters_.terms;
        if (!member->last_writer.empty() && member->last_writer != holder) ++counters_.failovers;
    }
    if (!holder.empty())
        member->last_writer = holder;
    else if (!member->holder.empty())
        member->free_ms = now_ms;
    member->token = token;
    member->holder = holder;
    member->lease_until_ms = member->holder == id() ? sent_ms + identity_.lease_ms : 0;
    apply_roles(now_ms);
}

// The writer's row on the router proves that it writes this router.
void Fleet::note_proof(Member& member, std::uint64_t now_ms) {
    const bool is_proven =
        member.holder.empty() || !member.is_in_sync || member.token_there >= member.token;
    if (is_proven)
        member.unproven_ms = 0;
    else if (member.unproven_ms == 0)
        member.unproven_ms = now_ms;
}

FleetRole Fleet::role_of(const Member& member, std::uint64_t now_ms) const {
    FleetRole role{
        .role = Role::waiting, .fleet = identity_.name, .box = identity_.box, .token = 0};
    // It goes on alone until it has the claims of the others.
    const bool lacks_claims =
        !member.is_loaded && !member.role.fleet.empty() && member.role.role == Role::alone;
    if (now_ms >= contact_ms_ + identity_.lease_ms || (member.holder.empty() && lacks_claims)) {
        role.role = Role::alone;
    } else if (member.holder == id()) {
        const bool is_valid = now_ms < member.lease_until_ms;
        role.role = is_valid ? Role::writer : Role::waiting;
        role.token = is_valid ? member.token : 0;
    } else if (!member.holder.empty()) {
        const bool is_unproven = member.unproven_ms != 0 && now_ms >= member.unproven_ms + kProofMs;
        if (is_unproven) {
            role.role = Role::alone;
        } else {
            role.role = Role::standby;
            role.box = box_of(member.holder);
            role.token = member.token;
        }
    } else if (member.free_ms != 0 && now_ms < member.free_ms + identity_.lease_ms) {
        role.role = Role::standby;
        role.box.clear();
    }
    return role;
}

void Fleet::apply_roles(std::uint64_t now_ms) {
    for (Member& member : members_) {
        if (now_ms >= contact_ms_ + identity_.lease_ms) member.holder.clear();
        note_proof(member, now_ms);
        const FleetRole role = role_of(member, now_ms);
        if (member.role == role) continue;
        member.role = role;
        member.peer.router->set_role(role, now_ms);
        member.peer.wake();
    }
}

// By the writer, and by every box while there is none: claims that ended are forgotten, and the others are kept.
void Fleet::tidy(const Member& member, std::uint64_t now_ms) {
    if (!has_clock_ || !(member.holder.empty() || member.holder == id())) return;
    const std::string place = key(member, "claims");
    const std::string last = std::to_string(redis_ms(now_ms) - kPastMs);
    const std::string life = std::to_string(kKeptMs);
    commands_.command({"ZREMRANGEBYSCORE", place, "-inf", last}, now_ms);
    commands_.command({"PEXPIRE", place, life}, now_ms);
}

void Fleet::tick(std::uint64_t now_ms) {
    ++ticks_;
    if (is_connected()) {
        if (has_clock_) tickets_.tick(clock_difference_ms_, now_ms);
        counters_.messages_bad += state_.take_bad();
        state_.tick(now_ms);
        if (state_.is_used() && state_.is_due(now_ms)) read_state(now_ms);
        counters_.tickets_unreadable = tickets_.unreadable();
        ask_time(now_ms);
        load_missing(now_ms);
        withdrawal_.tick(now_ms);
        for (Member& member : members_)
            elect(member, now_ms);
        if (ticks_ % kTicksPerBox == 1) tell_box(now_ms);
        if (ticks_ % kTicksPerPoll == 2) {
            for (Member& member : members_)
                tidy(member, now_ms);
            ask_boxes(now_ms);
        }
        if (has_unsent_claims_ && commands_.unanswered() < kKeepsUp)
            share_all(now_ms);
        else
            share_more(now_ms);
        commands_.send_now();
    }
    apply_roles(now_ms);
}

// ---- what boxes say

json::array Fleet::routers_json() const {
    json::array routers;
    for (const Member& member : members_) {
        const routeros::RouterStatus status = member.peer.router->status();
        json::object one{{"name", member.peer.name},  {"role", routeros::label(member.role.role)},
                         {"state", state_of(status)}, {"claims", status.claims},
                         {"pending", status.pending}, {"lag_ms", status.lag_ms}};
        if (!member.holder.empty()) {
            one["writer"] = box_of(member.holder);
            one["token"] = member.token;
        }
        routers.push_back(std::move(one));
    }
    return routers;
}

std::uint64_t Fleet::box_life_ms() const {
    return std::max(kBoxMs, 3 * kTicksPerBox * tick_ms());
}

// A change of its state is not left to the next tick: the others rely on it.
void Fleet::set_facts(BoxFacts facts, std::uint64_t now_ms) {
    facts_ = std::move(facts);
    addresses_.clear();
    for (const IpAddress& address : facts_.addresses)
        addresses_.push_back(address.to_string());
    withdrawal_.follow(addresses_, facts_.fitness);
    if (!is_connected()) return;
    withdrawal_.tick(now_ms);
    commands_.send_now();
}

void Fleet::tell_box(std::uint64_t now_ms) {
    const json::object status{
        {"version", facts_.version},      {"configuration", facts_.configuration},
        {"ready", facts_.is_ready},       {"draining", facts_.is_draining},
        {"addresses", texts(addresses_)}, {"routers", routers_json()}};
    const std::string text = json::serialize(status), place = key("box:" + id()),
                      all = key("boxes");
    const std::string life = std::to_string(box_life_ms()), now = std::to_string(redis_ms(now_ms)),
                      me = id();
    commands_.command({"SET", place, text, "PX", life}, now_ms);
    commands_.command({"ZADD", all, now, me}, now_ms);
}

void Fleet::ask_boxes(std::uint64_t now_ms) {
    const std::string all = key("boxes");
    const std::string oldest =
        std::to_string(static_cast<std::int64_t>(redis_ms(now_ms)) - kForgetBoxMs);
    const std::string most = std::to_string(kMaxBoxes);
    commands_.command({"ZREMRANGEBYSCORE", all, "-inf", oldest}, now_ms);
    commands_.command(
        {"ZRANGEBYSCORE", all, oldest, "+inf", "WITHSCORES", "LIMIT", "0", most}, now_ms,
        [this](const RedisReply& reply, std::uint64_t at_ms) {
            std::vector<Box> found;
            std::vector<std::string> places;
            for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
                found.push_back({reply.items[i].text,
                                 static_cast<std::int64_t>(
                                     std::min(number_in(reply.items[i + 1].text), kLastClockMs)),
                                 {}});
                places.push_back(key("box:" + found.back().id));
            }
            if (found.empty()) return end_polls();
            std::vector<std::string_view> words{"MGET"};
            words.insert(words.end(), places.begin(), places.end());
            commands_.command(words, at_ms,
                              [this, found = std::move(found)](const RedisReply& texts,
                                                               std::uint64_t received_ms) {
                                  took_boxes(found, texts, received_ms);
                              });
            commands_.send_now();
        });
}

// `texts`: what these boxes say of themselves; none of a dead one.
void Fleet::took_boxes(std::vector<Box> found, const RedisReply& texts, std::uint64_t now_ms) {
    for (std::size_t i = 0; i < found.size() && i < texts.items.size(); ++i) {
        boost::system::error_code bad;
        auto status = json::parse(texts.items[i].text, bad);
        if (!bad && status.is_object()) found[i].status = std::move(status.as_object());
    }
    std::ranges::sort(found, {}, &Box::id);
    const auto was_alive = [&](const Box& box) {
        const auto before = std::ranges::find(boxes_, box.id, &Box::id);
        return before != boxes_.end() && !before->status.empty();
    };
    const bool has_new_box = std::ranges::any_of(found, [&](const Box& box) {
        return box.id != id() && !box.status.empty() && !was_alive(box);
    });
    boxes_ = std::move(found);
    report_hosts();
    // At the first check all claims were shared just before.
    if (std::exchange(has_seen_boxes_, true) && has_new_box) share_written(now_ms);
    end_polls();
}

// A box answers on a few addresses, and a fleet has tens of boxes. A client that writes to Redis keeps no more addresses
// from the lists.
void Fleet::report_hosts() {
    constexpr std::size_t kMaxOfBox = 16, kMaxOfBoxes = 512;
    if (hosts_ == nullptr) return;
    std::vector<IpAddress> all;
    for (const Box& box : boxes_) {
        const json::value* const status = box.status.if_contains("addresses");
        if (box.id == id() || status == nullptr || !status->is_array()) continue;
        std::size_t left = kMaxOfBox;
        for (const json::value& one : status->as_array()) {
            if (left == 0 || all.size() == kMaxOfBoxes || !one.is_string()) break;
            --left;
            if (const auto address = IpAddress::parse(one.as_string())) all.push_back(*address);
        }
    }
    hosts_->set(this, all);
}

bool Fleet::may_claim(const ClaimTerms& terms, const IpAddress& address) const {
    if (!terms.may_claim(address)) return false;
    return hosts_ == nullptr || !hosts_->forbids(terms.translated, terms.allowed, address);
}

// Redis has the ends of leases. What the row board promises beyond them is known to this box alone, until it shares that: a
// box that was away has to know it, as the next writer may be that one.
void Fleet::share_written(std::uint64_t now_ms) {
    for (const Member& member : members_) {
        if (member.holder.empty() || member.holder == id()) to_share_.push_back(member.peer.name);
    }
    share_more(now_ms);
}

void Fleet::end_polls() {
    for (const auto& done : std::exchange(polls_, {}))
        done();
}

void Fleet::poll(std::uint64_t now_ms, std::function<void()> done) {
    if (!is_connected()) return done();
    polls_.push_back(std::move(done));
    tell_box(now_ms);
    ask_boxes(now_ms);
    commands_.send_now();
}

std::vector<RouterRole> Fleet::roles() const {
    std::vector<RouterRole> all;
    for (const Member& member : members_)
        all.push_back({member.peer.name, member.role.role});
    return all;
}

std::size_t Fleet::boxes_alive() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(boxes_, [](const Box& box) { return !box.status.empty(); }));
}

std::vector<std::string> Fleet::problems() const {
    std::vector<std::string> all;
    const std::string fleet = "fleet " + identity_.name;
    if (!error_.empty()) {
        all.push_back(fleet + ": Redis is unreachable: " + error_ +
                      ", so every box writes the routers by itself; start Redis, or correct "
                      "`fleet` of the configuration");
    }
    if (const std::int64_t ahead_ms = clock_ahead_ms_.value_or(0);
        std::abs(ahead_ms) >= kClockSkewMs) {
        all.push_back(fleet + ": this box's clock is " + std::to_string(std::abs(ahead_ms) / 1000) +
                      " s " + (ahead_ms > 0 ? "behind" : "ahead of") +
                      " Redis's, which leases do not depend on, but certificates and logs do; "
                      "set both by NTP");
    }
    if (!held_for().empty()) {
        all.push_back(
            fleet + ": this box is not ready, and serves on: no other box was ready for " +
            held_for() + " in the last " + std::to_string(Withdrawal::kFreshMs / kMsPerS) +
            " s; mend the conditions of /readyz that fail, or another box");
    }
    for (const Member& member : members_) {
        if (member.role.role != Role::alone || member.holder.empty()) continue;
        all.push_back(fleet + ": router " + member.peer.name + " has no row of its writer " +
                      safe_text(box_of(member.holder), kReasonBytes) +
                      ", so this box writes it by itself; check that both mean the same router, "
                      "and that the writer may write there");
    }
    std::map<std::string, int> names;
    for (const Box& box : boxes_) {
        if (box.status.empty()) continue;
        const std::string name = safe_text(box_of(box.id), kReasonBytes);
        if (++names[name] == 2) {
            all.push_back(fleet + ": two boxes are named " + matchers::quoted(name) +
                          "; give each its own `box`");
        }
        const std::string configuration = text_of(box.status, "configuration");
        if (box.id == id() || configuration == facts_.configuration) continue;
        std::string differs = fleet;
        differs.append(": ").append(name);
        differs.append(" has another configuration than this box; `steerctl fleet` shows both");
        all.push_back(std::move(differs));
    }
    return all;
}

std::vector<std::string> Fleet::obstacles() const {
    std::vector<std::string> all;
    if (!is_connected()) {
        all.emplace_back("Redis is not connected, so the other boxes are not known");
        return all;
    }
    std::size_t ready = 0;
    for (const Box& box : boxes_) {
        if (box.id == id() || box.status.empty()) continue;
        const std::string name = safe_text(box_of(box.id), kReasonBytes);
        if (!is_true(box.status, "ready"))
            all.push_back(name + " is not ready");
        else if (is_true(box.status, "draining"))
            all.push_back(name + " is draining");
        else
            ++ready;
    }
    if (ready == 0) all.emplace_back("no other box is ready");
    for (const Member& member : members_) {
        if (!is_kept_by_others(member))
            all.push_back("no other box has router " + member.peer.name + " in sync");
    }
    return all;
}

json::object Fleet::report(std::uint64_t now_ms) const {
    json::array boxes;
    for (const Box& box : boxes_) {
        const bool is_newer_there = std::ranges::any_of(boxes_, [&](const Box& other) {
            return box_of(other.id) == box_of(box.id) && other.seen_ms > box.seen_ms &&
                   box.status.empty();
        });
        if (is_newer_there) continue;  // an earlier process of that box
        json::object one{
            {"box", safe_text(box_of(box.id), kReasonBytes)},
            {"self", box.id == id()},
            {"alive", !box.status.empty()},
            {"ago_s",
             std::max<std::int64_t>(static_cast<std::int64_t>(redis_ms(now_ms)) - box.seen_ms, 0) /
                 1000}};
        for (const auto& [name, value] : box.status)
            one[name] = value;
        boxes.push_back(std::move(one));
    }
    json::object all{{"name", identity_.name},         {"box", identity_.box},
                     {"connected", is_connected()},    {"routers", routers_json()},
                     {"boxes", std::move(boxes)},      {"problems", texts(problems())},
                     {"obstacles", texts(obstacles())}};
    if (clock_ahead_ms_) all["clock_ahead_ms"] = *clock_ahead_ms_;
    if (!error_.empty()) {
        all["trouble"] = error_;
        all["trouble_s"] = (now_ms - error_since_ms_) / 1000;
    }
    json::object counts;
    ops::add_counts(counts, kFleetCounters, counters_);
    all["counters"] = std::move(counts);
    return all;
}

}  // namespace steer::fleet
