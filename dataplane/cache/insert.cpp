#include "dataplane/cache/insert.h"

#include <algorithm>
#include <cstring>

namespace steer::cache {

Insert insert_head(const Key& key, const KeyFacts& facts, std::uint32_t serial,
                   const InsertTerms& terms) noexcept {
    Insert head{};
    head.key = key;
    head.serial = serial;
    head.life_s = terms.life_s;
    head.qtype = facts.qtype;
    head.qclass = facts.qclass;
    head.instance = facts.instance;
    head.flags = facts.flags;
    head.list_count = static_cast<std::uint8_t>(terms.lists.size());
    std::copy(terms.lists.begin(), terms.lists.end(), head.lists.begin());
    head.ttl_cap_s = terms.ttl_cap_s;
    head.tag_generation = terms.tag_generation;
    head.tag_set = terms.tag_set;
    head.stale_s = terms.stale_s;
    head.refresh_check_after_s = terms.refresh_check_after_s;
    head.ecs_len = facts.ecs_len;
    head.qname_len = static_cast<std::uint8_t>(facts.qname.size());
    return head;
}

Buffer* build_insert(BufferPools& pools, const Key& key, const KeyFacts& facts,
                     const Buffer& answer, const InsertTerms& terms) noexcept {
    if (!is_cacheable(terms)) return nullptr;
    const std::size_t name_room = padded_name(facts.qname.size());
    const std::size_t answer_size = answer.answer().size();
    const std::size_t size = sizeof(Insert) + name_room + answer_size;
    Buffer* out = pools.take(static_cast<std::uint32_t>(size));
    if (out == nullptr) return nullptr;
    out->length = static_cast<std::uint32_t>(size);
    out->serial = answer.serial;
    out->born_ms = answer.born_ms;

    const Insert head = insert_head(key, facts, answer.serial, terms);
    std::uint8_t* at = out->data();
    std::memcpy(at, &head, sizeof head);
    at += sizeof head;
    std::memcpy(at, facts.qname.data(), facts.qname.size());
    std::memset(at + facts.qname.size(), 0, name_room - facts.qname.size());
    at += name_room;
    std::memcpy(at, answer.data(), answer_size);
    return out;
}

}  // namespace steer::cache
