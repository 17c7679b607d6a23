#include "dataplane/event/row_board.h"

#include <rte_debug.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_rcu_qsbr.h>
#include <sys/random.h>

#include <atomic>
#include <cstdio>
#include <cstring>

#include "dataplane/base/memory_node.h"

namespace steer {
namespace {

// rte_hash compares it byte by byte: no padding.
struct RowKey {
    IpAddress address;
    std::uint32_t list;
};
static_assert(sizeof(RowKey) == 20);
// In RowKey::list: the entry says until when the list does without the address; or until when its refusal lasts, and
// in place of the epoch the holder() that it stands for.
constexpr std::uint32_t kSkipped = 1U << 31, kRefused = 1U << 30;
static_assert(kMaxLists <= kRefused);
constexpr std::uint32_t kAll = 0, kOthers = 1;  // holders

void* pack(std::uint32_t until_s, std::uint32_t epoch) {
    static_assert(sizeof(void*) == sizeof(std::uint64_t));
    return reinterpret_cast<void*>(std::uint64_t{until_s} << 32 | epoch);
}

std::uint32_t random_word() {
    std::uint32_t word = 0;
    if (getrandom(&word, sizeof word, 0) != sizeof word) rte_panic("getrandom() gives no bytes\n");
    return word;
}

}  // namespace

RowBoard::RowBoard(unsigned rows, rte_rcu_qsbr* qsbr) : secret_(random_word()), capacity_(rows) {
    static std::atomic<unsigned> serial{0};
    char name[RTE_HASH_NAMESIZE];
    std::snprintf(name, sizeof name, "board_%u", serial.fetch_add(1));
    rte_hash_parameters parameters{};
    parameters.name = name;
    parameters.entries = rows;
    parameters.key_len = sizeof(RowKey);
    parameters.hash_func = rte_jhash;
    parameters.hash_func_init_val = random_word();
    parameters.socket_id = memory_node();
    parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE;
    hash_ = rte_hash_create(&parameters);
    if (hash_ == nullptr) {
        rte_panic("no memory for a board of %u rows (%s): give dataplane.memory more\n", rows,
                  rte_strerror(rte_errno));
    }
    rte_hash_rcu_config rcu{};
    rcu.v = qsbr;
    rcu.mode = RTE_HASH_QSBR_MODE_DQ;
    if (rte_hash_rcu_qsbr_add(hash_, &rcu) != 0) {
        rte_panic("no defer queue for a board of %u rows (%s)\n", rows, rte_strerror(rte_errno));
    }
}

RowBoard::~RowBoard() {
    rte_hash_free(hash_);
}

std::uint32_t RowBoard::installed_until(ListId list, const IpAddress& address,
                                        std::uint32_t epoch) const noexcept {
    const RowKey key{address, list};
    void* value = nullptr;
    if (rte_hash_lookup_data(hash_, &key, &value) < 0) return 0;
    const auto packed = reinterpret_cast<std::uint64_t>(value);
    return static_cast<std::uint32_t>(packed) == epoch ? static_cast<std::uint32_t>(packed >> 32)
                                                       : 0;
}

bool RowBoard::is_skipped(ListId list, const IpAddress& address,
                          std::uint32_t now_s) const noexcept {
    const RowKey key{address, list | kSkipped};
    void* value = nullptr;
    if (rte_hash_lookup_data(hash_, &key, &value) < 0) return false;
    return reinterpret_cast<std::uint64_t>(value) >> 32 > now_s;
}

bool RowBoard::put(ListId list, const IpAddress& address, std::uint32_t until_s,
                   std::uint32_t epoch) {
    const RowKey key{address, list};
    return put_value(&key, pack(until_s, epoch));
}

void RowBoard::remove(ListId list, const IpAddress& address) {
    const RowKey key{address, list};
    remove_key(&key);
}

bool RowBoard::skip(ListId list, const IpAddress& address, std::uint32_t until_s) {
    const RowKey key{address, list | kSkipped};
    if (until_s != 0) return put_value(&key, pack(until_s, 0));
    remove_key(&key);
    return true;
}

Refusal RowBoard::refusal(ListId list, const IpAddress& address,
                          std::span<const std::uint8_t> qname, const IpAddress& client,
                          std::uint32_t now_s) const noexcept {
    const RowKey key{address, list | kRefused};
    void* value = nullptr;
    if (rte_hash_lookup_data(hash_, &key, &value) < 0) return Refusal::none;
    const auto packed = reinterpret_cast<std::uint64_t>(value);
    const auto until_s = static_cast<std::uint32_t>(packed >> 32);
    if (until_s <= now_s) return Refusal::none;
    if (until_s - now_s <= kRefusalLastsS - kRefusalStandsS) return Refusal::old;
    const auto held_by = static_cast<std::uint32_t>(packed);
    const bool is_same = held_by == kAll || held_by == holder(RefusedFor::name, qname, client) ||
                         held_by == holder(RefusedFor::client, qname, client);
    return is_same ? Refusal::stands : Refusal::old;
}

std::uint32_t RowBoard::holder(RefusedFor whom, std::span<const std::uint8_t> qname,
                               const IpAddress& client) const noexcept {
    if (whom == RefusedFor::all) return kAll;
    if (whom == RefusedFor::others) return kOthers;
    std::uint32_t hash = rte_jhash(qname.data(), static_cast<std::uint32_t>(qname.size()), secret_);
    if (whom == RefusedFor::client) {
        const std::uint32_t bytes = client.is_v4() ? 16 : 8;  // an IPv6 /64
        hash = rte_jhash(client.bytes.data(), bytes, hash);
    }
    return hash <= kOthers ? kOthers + 1 : hash;
}

RowBoard::Marked RowBoard::refuse(ListId list, const IpAddress& address, std::uint32_t holder,
                                  std::uint32_t now_s) {
    const RowKey key{address, list | kRefused};
    const std::size_t before = size();
    if (!put_value(&key, pack(now_s + kRefusalLastsS, holder))) return Marked::full;
    return size() == before ? Marked::again : Marked::fresh;
}

bool RowBoard::lift_refusal(ListId list, const IpAddress& address) {
    const RowKey key{address, list | kRefused};
    return rte_hash_lookup(hash_, &key) >= 0 && put_value(&key, pack(0, 0));
}

std::uint32_t RowBoard::drop_refusal(ListId list, const IpAddress& address, std::uint32_t now_s) {
    const RowKey key{address, list | kRefused};
    void* value = nullptr;
    if (rte_hash_lookup_data(hash_, &key, &value) < 0) return 0;
    const auto until_s = static_cast<std::uint32_t>(reinterpret_cast<std::uint64_t>(value) >> 32);
    if (until_s > now_s) return until_s;
    remove_key(&key);
    return 0;
}

void RowBoard::forget_ended(std::uint32_t now_s, std::uint32_t slots) {
    if (size() == 0) return;
    const std::uint32_t begin = cursor_;
    for (std::uint32_t checks = 0; checks < slots && cursor_ - begin < slots; ++checks) {
        const void* at = nullptr;
        void* value = nullptr;
        if (rte_hash_iterate(hash_, &at, &value, &cursor_) < 0) {
            cursor_ = 0;
            return;
        }
        if (reinterpret_cast<std::uint64_t>(value) >> 32 > now_s) continue;
        RowKey key;  // a copy: removal gives the slot back
        std::memcpy(&key, at, sizeof key);
        remove_key(&key);
        --cursor_;  // the last key of the bucket's chain may have moved to this slot
    }
}

bool RowBoard::put_value(const void* key, void* value) {
    const bool known = rte_hash_lookup(hash_, key) >= 0;
    if (rte_hash_add_key_data(hash_, key, value) != 0) return false;
    if (!known) size_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void RowBoard::remove_key(const void* key) {
    if (rte_hash_del_key(hash_, key) >= 0) size_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace steer
