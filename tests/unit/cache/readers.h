// The readers' side of QSBR in tests: a variable, and readers that register for as long as they live.
#pragma once

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

namespace steer::test {

class Readers {
  public:
    explicit Readers(unsigned most = 8) {
        const std::size_t size = rte_rcu_qsbr_get_memsize(most);
        qsbr_ = static_cast<rte_rcu_qsbr*>(rte_zmalloc("test_qsbr", size, 64));
        rte_rcu_qsbr_init(qsbr_, most);
    }
    ~Readers() { rte_free(qsbr_); }
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;

    [[nodiscard]] rte_rcu_qsbr* get() const { return qsbr_; }

  private:
    rte_rcu_qsbr* qsbr_;
};

class Reader {
  public:
    Reader(const Readers& readers, unsigned id) : qsbr_(readers.get()), id_(id) {
        rte_rcu_qsbr_thread_register(qsbr_, id_);
        rte_rcu_qsbr_thread_online(qsbr_, id_);
    }
    ~Reader() {
        rte_rcu_qsbr_thread_offline(qsbr_, id_);
        rte_rcu_qsbr_thread_unregister(qsbr_, id_);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    void quiescent() const { rte_rcu_qsbr_quiescent(qsbr_, id_); }

  private:
    rte_rcu_qsbr* qsbr_;
    unsigned id_;
};

}  // namespace steer::test
