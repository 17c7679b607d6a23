// Tests: each reads only the facts that its row declares (Reads).
#pragma once

#include "dataplane/policy/facts.h"
#include "dataplane/policy/interpreter.h"

namespace steer {

template <>
struct Body<Op::if_tags> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.tags().any_of(q.snapshot().tag_masks[i.operand]);
    }
};
template <>
struct Body<Op::if_has_resp> {
    static bool holds(const auto& q, const Instruction& /*i*/) noexcept { return q.has_response(); }
};
template <>
struct Body<Op::if_true> {
    static bool holds(const auto& /*q*/, const Instruction& /*i*/) noexcept { return true; }
};
template <>
struct Body<Op::if_marks> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return (q.marks() & q.snapshot().mark_masks[i.operand]) != 0;
    }
};
template <>
struct Body<Op::if_type> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.snapshot().has_number(i.operand, q.qtype());
    }
};
template <>
struct Body<Op::if_class> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.snapshot().has_number(i.operand, q.qclass());
    }
};
template <>
struct Body<Op::if_rcode> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.has_response() && q.snapshot().has_number(i.operand, q.response().rcode);
    }
};
template <>
struct Body<Op::if_response_address> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.has_response() &&
               has_address_in(q.response(), q.snapshot().prefix_sets[i.operand]);
    }
};
template <>
struct Body<Op::if_cname> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.has_response() && q.has_cname_in(q.snapshot().tag_masks[i.operand]);
    }
};
template <>
struct Body<Op::if_wanted_answer> {
    static bool holds(const auto& q, const Instruction& /*i*/) noexcept {
        return q.has_response() && has_type(q.response(), q.qtype());
    }
};
template <>
struct Body<Op::if_client> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.snapshot().prefix_sets[i.operand].contains(q.client().address);
    }
};
template <>
struct Body<Op::if_device> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.is_client_in(q.snapshot().device_sets[i.operand]);
    }
};
template <>
struct Body<Op::if_vlan> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.snapshot().has_number(i.operand, q.client().vlan);
    }
};
template <>
struct Body<Op::if_name_address> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        const auto address = address_in_name(q.name());
        return address && q.snapshot().prefix_sets[i.operand].contains(*address);
    }
};
template <>
struct Body<Op::if_text> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.text_holds(q.snapshot().text_matches[i.operand]);
    }
};
template <>
struct Body<Op::if_random> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.random() < i.operand;
    }
};
template <>
struct Body<Op::if_time> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.is_now_within(i.operand);
    }
};
template <>
struct Body<Op::if_rate> {
    static bool holds(const auto& q, const Instruction& i) noexcept {
        return q.takes_token(i.operand);
    }
};

}  // namespace steer
