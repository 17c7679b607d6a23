#include "control/sinks/set_process/set_messages.h"

#include <algorithm>
#include <utility>

#include "control/host/process/message_bytes.h"
#include "matchers/safe_text.h"

namespace steer::sets {
namespace {

constexpr std::size_t kMaxFamilies = 2;
constexpr std::size_t kMaxName = 255;  // bytes

class Writer : public MessageWriter {
  public:
    Writer(MessageKind kind, std::uint32_t plans, std::size_t count) {
        const MessageHead head{kMessageVersion, static_cast<std::uint16_t>(kind), 0, plans,
                               static_cast<std::uint32_t>(count)};
        put(head);
    }
    void put_text(std::string_view text) { MessageWriter::put_text(text, kMaxText); }
    void put_name(const SetName& name) {
        put_text(name.family);
        put_text(name.table);
        put_text(name.name);
        put(static_cast<std::uint8_t>(name.v6));
    }
    std::string finish() && {
        replace(offsetof(MessageHead, bytes), static_cast<std::uint32_t>(size()));
        return std::move(static_cast<MessageWriter&>(*this)).finish();
    }
};

class Reader : public MessageReader {
  public:
    using MessageReader::MessageReader;
    std::string take_text() { return MessageReader::take_text(kMaxText); }
    SetName take_name() {
        SetName name;
        name.family = take_text();
        name.table = take_text();
        name.name = take_text();
        name.v6 = take_bool();
        return name;
    }
};

RowRecord record_of(const Installed& row) {
    RowRecord record{{}, row.until_s, row.list, 0};
    std::ranges::copy(row.address.bytes, record.address);
    return record;
}

Installed row_of(Reader& in, const RowRecord& record) {
    in.require(record.list < kMaxLists);
    return {record.list, IpAddress::from_v6(record.address), record.until_s};
}

std::vector<Installed> take_rows(Reader& in, std::uint32_t count) {
    std::vector<Installed> rows;
    in.require(count <= kMaxRows);
    for (std::uint32_t i = 0; i < count && in.good(); ++i)
        rows.push_back(row_of(in, in.take<RowRecord>()));
    return rows;
}

const ClaimRow& claim_of(const ClaimRow& row) {
    return row;
}
const ClaimRow& claim_of(const RefusedRow& row) {
    return row.claim;
}

void put_claim(Writer& out, const ClaimRow& claim,
               const std::optional<routeros::RefusedClaim>& why) {
    ClaimRecord record{.row = record_of(claim.what),
                       .holders = {},
                       .client = {},
                       .has_client = claim.origin.client.has_value(),
                       .refusal = kNoRefusal,
                       .of_client = 0,
                       .name_bytes = 0};
    std::ranges::copy(claim.holders, record.holders);
    if (claim.origin.client) std::ranges::copy(claim.origin.client->bytes, record.client);
    if (why) {
        record.refusal = static_cast<std::uint8_t>(why->why);
        record.of_client = why->of_client;
    }
    const std::string_view name = whole_bytes(claim.origin.name, kMaxName);
    record.name_bytes = static_cast<std::uint8_t>(name.size());
    out.put(record);
    out.put_bytes(name);
}

RefusedRow take_claim(Reader& in) {
    const auto record = in.take<ClaimRecord>();
    RefusedRow row{{row_of(in, record.row), {}, {}}, {}};
    std::ranges::copy(record.holders, row.claim.holders.begin());
    in.require(record.has_client <= 1 && record.of_client <= 1);
    if (record.has_client == 1) row.claim.origin.client = IpAddress::from_v6(record.client);
    if (record.refusal != kNoRefusal) {
        in.require(record.refusal < routeros::kClaimRefusals);
        row.why = {static_cast<routeros::ClaimRefusal>(record.refusal), record.of_client == 1};
    }
    row.claim.origin.name = in.take_bytes(record.name_bytes);
    return row;
}

std::vector<RefusedRow> take_claims(Reader& in, std::uint32_t count) {
    std::vector<RefusedRow> rows;
    in.require(count <= kMaxRows);
    for (std::uint32_t i = 0; i < count && in.good(); ++i)
        rows.push_back(take_claim(in));
    return rows;
}

// Of a claim message: it has no reasons.
ClaimRows take_unrefused(Reader& in, std::uint32_t count) {
    ClaimRows claims;
    for (RefusedRow& row : take_claims(in, count)) {
        in.require(!row.why);
        claims.rows.push_back(std::move(row.claim));
    }
    return claims;
}

template <class Row>
std::span<const Row> fitting_rows(std::span<const Row> rows) {
    std::size_t bytes = sizeof(MessageHead), count = 0;
    for (; count < std::min(rows.size(), kMaxRows); ++count) {
        bytes += sizeof(ClaimRecord) + std::min(claim_of(rows[count]).origin.name.size(), kMaxName);
        if (bytes > kMaxMessage) break;
    }
    return rows.first(count);
}

std::vector<matchers::Prefix> take_prefixes(Reader& in, std::uint32_t count) {
    std::vector<matchers::Prefix> prefixes;
    in.require(count <= kMaxRows);
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        const auto record = in.take<PrefixRecord>();
        in.require(record.length <= 128);
        if (!in.good()) break;
        prefixes.push_back({IpAddress::from_v6(record.address), record.length});
    }
    return prefixes;
}

std::vector<ListId> take_lists(Reader& in, std::uint32_t count) {
    std::vector<ListId> lists;
    in.require(count <= kMaxRows);
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        lists.push_back(in.take<ListId>());
        in.require(lists.back() < kMaxLists);
    }
    return lists;
}

std::string encode_plan(std::uint32_t number, const SetPlan& plan) {
    Writer out(MessageKind::plan, number, plan.families.size());
    out.put(plan.list);
    out.put(plan.max_elements);
    for (const std::size_t share :
         {plan.shares.per_name, plan.shares.per_domain, plan.shares.per_client})
        out.put(std::uint64_t{share});
    for (const std::uint32_t seconds : {plan.ends.linger_s, plan.ends.apart_s, plan.ends.adopt_s})
        out.put(seconds);
    out.put_text(plan.tag);
    for (const SetPlan::Family& family : plan.families) {
        out.put_name(family.set);
        out.put(family.mask);
    }
    return std::move(out).finish();
}

PlanPart take_plan(Reader& in, std::uint32_t count) {
    SetPlan plan;
    plan.list = in.take<ListId>();
    plan.max_elements = in.take<std::uint32_t>();
    for (std::size_t* const share :
         {&plan.shares.per_name, &plan.shares.per_domain, &plan.shares.per_client})
        *share = in.take<std::uint64_t>();
    plan.ends.linger_s = in.take<std::uint32_t>();
    plan.ends.apart_s = in.take<std::uint32_t>();
    plan.ends.adopt_s = in.take<std::uint32_t>();
    plan.tag = in.take_text();
    in.require(plan.list < kMaxLists && count >= 1 && count <= kMaxFamilies);
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        SetPlan::Family family;
        family.set = in.take_name();
        family.mask = in.take<std::uint32_t>();
        in.require(family.mask >= 1 && family.mask <= (family.set.v6 ? 128U : 32U));
        plan.families.push_back(std::move(family));
    }
    return {std::move(plan)};
}

SetState take_state(Reader& in, std::uint32_t count) {
    SetState state;
    state.total = count;
    state.index = in.take<std::uint32_t>();
    state.write_us = in.take<std::uint32_t>();
    if (count == 0) {
        in.require(state.index == 0);
        return state;
    }
    in.require(count <= kMaxLists * kMaxFamilies && state.index < count);
    SetStatus& status = state.status;
    status.set = in.take_name();
    status.ready = in.take_bool();
    status.ability.timeouts = in.take_bool();
    status.ability.prefixes = in.take_bool();
    status.ability.removal = in.take_bool();
    status.error = in.take_text();
    status.claims = in.take<std::uint64_t>();
    status.pending = in.take<std::uint64_t>();
    for (const auto& counter : kSetCounters)
        status.counters.*counter.which = in.take<std::uint64_t>();
    return state;
}

}  // namespace

std::vector<std::string> encode_plans(std::uint32_t number, const std::vector<SetPlan>& plans) {
    std::vector<std::string> all;
    all.push_back(Writer(MessageKind::plans_begin, number, 0).finish());
    for (const SetPlan& plan : plans) {
        all.push_back(encode_plan(number, plan));
        const std::span<const matchers::Prefix> never = plan.never_claim;
        for (std::size_t done = 0; done < never.size(); done += kMaxRows) {
            const auto part = never.subspan(done, std::min(kMaxRows, never.size() - done));
            Writer out(MessageKind::never_claim, number, part.size());
            for (const matchers::Prefix& prefix : part) {
                PrefixRecord record{{}, prefix.length, {}};
                std::ranges::copy(prefix.address.bytes, record.address);
                out.put(record);
            }
            all.push_back(std::move(out).finish());
        }
    }
    all.push_back(Writer(MessageKind::plans_end, number, 0).finish());
    return all;
}

std::string encode_claims(std::uint32_t plans, std::span<const ClaimRow> rows) {
    Writer out(MessageKind::claims, plans, rows.size());
    for (const ClaimRow& row : rows)
        put_claim(out, row, {});
    return std::move(out).finish();
}

std::string encode_written(std::uint32_t plans, std::span<const Installed> rows) {
    Writer out(MessageKind::written, plans, rows.size());
    for (const Installed& row : rows)
        out.put(record_of(row));
    return std::move(out).finish();
}

std::string encode_refused(std::uint32_t plans, std::span<const RefusedRow> rows) {
    Writer out(MessageKind::refused, plans, rows.size());
    for (const RefusedRow& row : rows)
        put_claim(out, row.claim, row.why);
    return std::move(out).finish();
}

std::span<const ClaimRow> fitting(std::span<const ClaimRow> rows) {
    return fitting_rows(rows);
}

std::span<const RefusedRow> fitting(std::span<const RefusedRow> rows) {
    return fitting_rows(rows);
}

std::span<const Installed> fitting(std::span<const Installed> rows) {
    return rows.first(std::min(rows.size(), kMaxRows));
}

std::string encode_lost(std::uint32_t plans, std::span<const ListId> lists) {
    Writer out(MessageKind::lost, plans, lists.size());
    for (const ListId list : lists)
        out.put(list);
    return std::move(out).finish();
}

std::string encode_log(Level level, std::string_view text) {
    Writer out(MessageKind::log, 0, static_cast<std::size_t>(level));
    out.put_text(text);
    return std::move(out).finish();
}

std::string encode_state(std::uint32_t plans, const SetState& state) {
    Writer out(MessageKind::state, plans, state.total);
    out.put(state.index);
    out.put(state.write_us);
    if (state.total == 0) return std::move(out).finish();
    const SetStatus& status = state.status;
    out.put_name(status.set);
    for (const bool flag :
         {status.ready, status.ability.timeouts, status.ability.prefixes, status.ability.removal})
        out.put(static_cast<std::uint8_t>(flag));
    out.put_text(status.error);
    out.put(std::uint64_t{status.claims});
    out.put(std::uint64_t{status.pending});
    for (const auto& counter : kSetCounters)
        out.put(status.counters.*counter.which);
    return std::move(out).finish();
}

std::optional<SetMessage> decode(std::string_view bytes) {
    Reader in(bytes);
    const auto head = in.take<MessageHead>();
    if (!in.good() || head.version != kMessageVersion || head.bytes != bytes.size() ||
        bytes.size() > kMaxMessage || head.kind >= static_cast<std::uint16_t>(MessageKind::count_))
        return std::nullopt;
    SetMessage out{head.plans, {}};
    switch (static_cast<MessageKind>(head.kind)) {
        case MessageKind::plans_begin:
            out.what = PlansBegin{};
            break;
        case MessageKind::plans_end:
            out.what = PlansEnd{};
            break;
        case MessageKind::plan:
            out.what = take_plan(in, head.count);
            break;
        case MessageKind::never_claim:
            out.what = NeverPart{take_prefixes(in, head.count)};
            break;
        case MessageKind::claims:
            out.what = take_unrefused(in, head.count);
            break;
        case MessageKind::written:
            out.what = WrittenRows{take_rows(in, head.count)};
            break;
        case MessageKind::refused:
            out.what = RefusedRows{take_claims(in, head.count)};
            break;
        case MessageKind::lost:
            out.what = LostLists{take_lists(in, head.count)};
            break;
        case MessageKind::log:
            in.require(head.count <= static_cast<std::uint32_t>(Level::warning));
            out.what = LogLine{static_cast<Level>(head.count & 1U), in.take_text()};
            break;
        case MessageKind::state:
            out.what = take_state(in, head.count);
            break;
        case MessageKind::count_:
            return std::nullopt;
    }
    if (!in.is_whole()) return std::nullopt;
    return out;
}

}  // namespace steer::sets
