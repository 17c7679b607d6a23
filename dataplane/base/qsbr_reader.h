// A reader of a QSBR variable that is not a worker: it reads published values now and then, and
// waits for other things between them. A thread of `streams` is one.
//
// A worker reports a quiescent state after each turn. This reader is quiescent unless a Section
// exists, so it may wait as long as it likes outside of one. Cost of a Section: one fence.
#pragma once

#include <rte_rcu_qsbr.h>

namespace steer {

class QsbrReader {
  public:
    // Without a variable, a Section does nothing: for tests without a writer.
    QsbrReader() = default;
    // `number`: no other reader of the variable has it. `qsbr` must outlive this object.
    QsbrReader(rte_rcu_qsbr* qsbr, unsigned number) : qsbr_(qsbr), number_(number) {
        if (qsbr_ != nullptr) rte_rcu_qsbr_thread_register(qsbr_, number_);
    }
    ~QsbrReader() {
        if (qsbr_ != nullptr) rte_rcu_qsbr_thread_unregister(qsbr_, number_);
    }
    QsbrReader(const QsbrReader&) = delete;
    QsbrReader& operator=(const QsbrReader&) = delete;

    // Published values that are loaded in it are not freed before it ends. Do not nest two of a
    // reader, and do not wait in one.
    class Section {
      public:
        explicit Section(const QsbrReader& reader) : reader_(reader) {
            if (reader_.qsbr_ != nullptr)
                rte_rcu_qsbr_thread_online(reader_.qsbr_, reader_.number_);
        }
        ~Section() {
            if (reader_.qsbr_ != nullptr)
                rte_rcu_qsbr_thread_offline(reader_.qsbr_, reader_.number_);
        }
        Section(const Section&) = delete;
        Section& operator=(const Section&) = delete;

      private:
        const QsbrReader& reader_;
    };

  private:
    rte_rcu_qsbr* const qsbr_ = nullptr;
    const unsigned number_ = 0;
};

}  // namespace steer
