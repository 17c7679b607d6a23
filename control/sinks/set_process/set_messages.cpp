#include "control/sinks/set_process/set_messages.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "matchers/safe_text.h"

namespace steer::sets {
namespace {

constexpr std::size_t kMaxFamilies = 2;

class Writer {
  public:
    Writer(MessageKind kind, std::uint32_t plans, std::size_t count) {
        const MessageHead head{kMessageVersion, static_cast<std::uint16_t>(kind), 0, plans,
                               static_cast<std::uint32_t>(count)};
        put(head);
    }
    template <class T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put_text(std::string_view text) {
        text = whole_bytes(text, kMaxText);
        put(static_cast<std::uint16_t>(text.size()));
        bytes_.append(text);
    }
    void put_name(const SetName& name) {
        put_text(name.family);
        put_text(name.table);
        put_text(name.name);
        put(static_cast<std::uint8_t>(name.v6));
    }
    std::string finish() && {
        const auto size = static_cast<std::uint32_t>(bytes_.size());
        std::memcpy(bytes_.data() + offsetof(MessageHead, bytes), &size, sizeof size);
        return std::move(bytes_);
    }

  private:
    std::string bytes_;
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    template <class T>
    T take() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (left_.size() < sizeof value) {
            good_ = false;
            return value;
        }
        std::memcpy(&value, left_.data(), sizeof value);
        left_.remove_prefix(sizeof value);
        return value;
    }
    std::string take_text() {
        const auto size = take<std::uint16_t>();
        if (!good_ || size > kMaxText || size > left_.size()) {
            good_ = false;
            return {};
        }
        std::string text(left_.substr(0, size));
        left_.remove_prefix(size);
        return text;
    }
    bool take_bool() {
        const auto value = take<std::uint8_t>();
        require(value <= 1);
        return value == 1;
    }
    SetName take_name() {
        SetName name;
        name.family = take_text();
        name.table = take_text();
        name.name = take_text();
        name.v6 = take_bool();
        return name;
    }
    void require(bool condition) { good_ = good_ && condition; }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool is_whole() const { return good_ && left_.empty(); }

  private:
    std::string_view left_;
    bool good_ = true;
};

std::string encode_rows(MessageKind kind, std::uint32_t plans, std::span<const Installed> rows) {
    Writer out(kind, plans, rows.size());
    for (const Installed& row : rows) {
        RowRecord record{{}, row.until_s, row.list, 0};
        std::ranges::copy(row.address.bytes, record.address);
        out.put(record);
    }
    return std::move(out).finish();
}

std::vector<Installed> take_rows(Reader& in, std::uint32_t count) {
    std::vector<Installed> rows;
    in.require(count <= kMaxRows);
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        const auto record = in.take<RowRecord>();
        in.require(record.list < kMaxLists);
        rows.push_back({record.list, IpAddress::from_v6(record.address), record.until_s});
    }
    return rows;
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
    status.trouble = in.take_text();
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

std::string encode_claims(std::uint32_t plans, std::span<const Installed> rows) {
    return encode_rows(MessageKind::claims, plans, rows);
}

std::string encode_written(std::uint32_t plans, std::span<const Installed> rows) {
    return encode_rows(MessageKind::written, plans, rows);
}

std::string encode_refused(std::uint32_t plans, std::span<const Installed> rows) {
    return encode_rows(MessageKind::refused, plans, rows);
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
    out.put_text(status.trouble);
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
            out.what = ClaimRows{take_rows(in, head.count)};
            break;
        case MessageKind::written:
            out.what = WrittenRows{take_rows(in, head.count)};
            break;
        case MessageKind::refused:
            out.what = RefusedRows{take_rows(in, head.count)};
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
