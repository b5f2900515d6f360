#pragma once
// The leakage guard: nothing that training, menu, calibration or selection may have seen is evaluated.

#include "labels/label_store.h"
#include "task/splits.h"

namespace polar::experiment {

/// Throws core::Error where a test or out-of-distribution example is one of train or validation: by id, by normalised
/// question or by the normalised operands of an arithmetic problem (task::find_overlap). The message names both
/// examples, where each stands and what they share. Test problems in other words, and larger ones, pass: only train and
/// validation are compared.
void refuse_leakage(const task::Dataset& dataset);

/// The same against the training and validation examples of a store of labels, by id and operands: the store holds no
/// questions. Training reads labels by the ids of the data set's own questions, so that a label of an id which is not
/// among them is not learnt from. Throws as well as LabelStore::require_trainable does.
void refuse_leakage(const task::Dataset& dataset, const labels::LabelStore& store);

}  // namespace polar::experiment
